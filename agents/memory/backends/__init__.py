"""What makes vectors of texts, each imported only when it is chosen."""
