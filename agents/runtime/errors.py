"""Errors of agents.

::

    HubError
    └── AgentError               agent_error      ends its turn or job, nothing else
        ├── BackendUnavailable   backend_unavailable
        ├── BackendBusy          backend_busy
        └── BackendTimeout       backend_timeout
    AssertionError
    └── UndeclaredOutput         a service emits what it did not declare: a bug
"""

from protocols.errors import HubError


class AgentError(HubError):
    """A service could not do its work for one scope. ``code`` reaches the client."""

    code = "agent_error"

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code  # type: ignore[misc]


class BackendUnavailable(AgentError):
    """The engine is not installed, its model is not there or its server cannot be reached."""

    code = "backend_unavailable"


class BackendBusy(AgentError):
    """The engine takes no further request now."""

    code = "backend_busy"


class BackendTimeout(AgentError):
    """The engine did not answer in time."""

    code = "backend_timeout"


class UndeclaredOutput(AssertionError):
    """A service emitted a message that its ``produces`` does not name."""
