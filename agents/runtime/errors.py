"""Errors of agents.

::

    HubError
    ├── AgentError               agent_error      ends its turn or job, nothing else
    │   ├── BackendUnavailable   backend_unavailable
    │   ├── BackendBusy          backend_busy
    │   ├── BackendTimeout       backend_timeout
    │   ├── WorkerDied           worker_died      a child process ended with work in hand
    │   ├── AgentDraining        agent_draining   it is leaving and takes nothing new
    │   └── InboxOverrun         inbox_overrun    a service does not read what it is sent
    ├── EngineDied               engine_died      ends the process, to be started again
    └── BadSettings              bad_settings     ends the process before it starts
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


class WorkerDied(AgentError):
    """The child process that held the engine ended; the next request starts a new one."""

    code = "worker_died"


class AgentDraining(AgentError):
    """The agent is leaving: it finishes what it does and takes nothing new."""

    code = "agent_draining"


class InboxOverrun(AgentError):
    """Messages that must not be dropped pile up in an inbox that its service does not read."""

    code = "inbox_overrun"


class EngineDied(HubError):
    """The process that held the engine ended by itself, and the agent cannot start another."""

    code = "engine_died"


class BadSettings(HubError):
    """The environment does not say what the process needs, or says it wrongly."""

    code = "bad_settings"


class UndeclaredOutput(AssertionError):
    """A service emitted a message that its ``produces`` does not name."""
