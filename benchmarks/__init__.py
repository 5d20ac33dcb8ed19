"""Measurements of what the bones cost, against the raw limit in the same run."""
