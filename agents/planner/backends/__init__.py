"""Engines that answer; each is imported only when it is chosen."""
