"""Engines that speak; each is imported only when it is chosen."""
