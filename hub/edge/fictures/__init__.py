"""The Fictures AI server, as its document has it."""
