"""The planner: answers what a user said, and says what a robot should do next."""
