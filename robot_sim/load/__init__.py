"""Many light robots in one process, to put load on a hub and to measure it from outside."""
