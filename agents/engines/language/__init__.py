"""Language models, whatever runs them; what the planner thinks and what the eyes describe with."""
