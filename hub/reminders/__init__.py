"""Timers and reminders: what was asked for, when it is due, and who says it."""
