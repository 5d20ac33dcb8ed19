"""Engines of ears, each imported only when it is chosen."""
