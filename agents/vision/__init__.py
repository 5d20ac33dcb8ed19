"""Vision: says what a picture shows, where something is on a screen, and which balls a robot sees."""
