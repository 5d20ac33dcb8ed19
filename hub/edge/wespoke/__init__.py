"""The Wespoke AI services, as their document has them, and what it only promised."""
