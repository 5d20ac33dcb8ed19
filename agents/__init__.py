"""The agents: processes that work for the hub, one trade each."""

import protocols.lean  # noqa: F401 - before whatever imports structlog
