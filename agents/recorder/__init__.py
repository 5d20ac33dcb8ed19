"""The recorder: writes the hub's trace to MCAP files."""
