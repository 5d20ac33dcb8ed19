"""Which model an agent holds. Loading and unloading are jobs; the envelope's ``job`` numbers them.
They are answered by ``job.done`` or ``job.failed``; ``agent.progress`` tells how far a load is."""

from enum import StrEnum

from protocols.envelope import Message
from protocols.messages.agent import AgentKind


class LoadState(StrEnum):
    """Whether an agent's engine is in memory."""

    UNLOADED = "unloaded"
    """It is not, and is loaded when it is needed."""
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    """It could not be loaded; that is tried again when it is needed."""


class ModelLoad(Message, tag="model.load"):
    """Order: serve with ``model`` from now on. Who is being served by another one keeps it to the
    end; if ``model`` cannot be loaded, the other one stays. Empty: the one that is set."""

    model: str = ""


class ModelUnload(Message, tag="model.unload"):
    """Order: take the engine out of memory once nobody is served by it; whoever needs it next
    loads it again."""


class ModelState(Message, tag="model.state"):
    """State: the engine of an agent. ``memory_mib`` is the resident memory of the agent's processes
    in all; ``detail`` says for people why a load failed."""

    kind: AgentKind
    role: str
    state: LoadState
    model: str = ""
    memory_mib: int = 0
    detail: str = ""
