"""Engines of stt, each imported only when it is chosen."""
