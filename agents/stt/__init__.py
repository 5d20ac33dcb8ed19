"""Stt: what users say, as text."""
