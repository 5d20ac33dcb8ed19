"""Feelings: the one source of what a robot's face shows of its mood."""
