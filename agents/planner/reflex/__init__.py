"""The reflex planner's decisions, without any model: pure functions of text, world and time."""
