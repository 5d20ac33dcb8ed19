"""Payload models, one module per domain."""
