"""What the commands of ``robot-hub`` do; ``hub/cli.py`` says what they are called with."""
