"""Ears: when someone speaks, and when an utterance is over."""
