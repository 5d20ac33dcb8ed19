"""Text to speech: speaks the phrases of a response, and whole texts as jobs."""
