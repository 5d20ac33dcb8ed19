"""robot-buddy's AI server, as its document has it."""
