"""What observers of the hub are shown while it works."""
