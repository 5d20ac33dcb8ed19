"""Engines that see; each is imported only when it is chosen."""
