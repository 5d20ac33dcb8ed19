"""LocalAI's inference manager: its REST routes."""
