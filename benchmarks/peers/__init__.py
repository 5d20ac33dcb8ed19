"""Pipecat and LiveKit Agents under the hub's client: ``make bench-peers``."""
