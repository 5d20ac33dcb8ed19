"""The whole hub in one process, in virtual time, driven by a seed.

``python -m tests.simulation --seed N`` replays one seed and prints its story; ``make soak`` runs
many. A seed decides everything: who says what and when, how slow each wire is, what breaks.
"""
