"""What the recorder writes to, each imported only when it is chosen."""
