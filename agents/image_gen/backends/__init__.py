"""Engines of the image agent, each imported only when it is chosen."""
