"""AuraOS's inference server, as its document has it."""
