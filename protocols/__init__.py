"""The language hub, agents and robots speak: envelope, catalog, messages, codecs and errors.

Nothing in this package does I/O, reads a clock or knows who speaks.
"""
