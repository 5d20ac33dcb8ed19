"""What keeps how long was talked today, each imported only when it is chosen."""
