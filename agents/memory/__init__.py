"""The memory agent: documents to look things up in, and what a robot may remember."""
