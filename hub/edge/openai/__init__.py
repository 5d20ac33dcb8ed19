"""The API of OpenAI's clients, over the hub's own models."""
