"""Jobs: requests with an answer. The envelope's ``job`` numbers them."""

from typing import Any

from protocols.envelope import Message


class PlanRequest(Message, tag="plan.request"):
    """Order to a planner: answer a world state (``protocols/plan.py``) with actions."""

    world: dict[str, Any]
    max_actions: int = 5


class PlanDone(Message, tag="plan.done"):
    """The plan; ``actions`` are validated again by the hub before anyone sees them."""

    actions: tuple[dict[str, Any], ...]
    ttl_ms: int = 2000


class SpeakRequest(Message, tag="speak.request"):
    """Order to tts: speak a whole text as a job. Its audio comes as ``speech.chunk``s, its end as
    ``job.done``."""

    text: str
    rate_hz: int
    emotion: str = "neutral"
    intensity: float = 0.5
    language: str = "en"
    voice: str = ""
    speed: float = 1.0
    """Factor of the usual tempo, 0.25 to 4, at the usual pitch."""


class JobCancel(Message, tag="job.cancel"):
    """Order: nobody waits for this job any more."""

    reason: str = ""


class JobDone(Message, tag="job.done"):
    """The job is complete. ``samples`` counts audio samples, where it made any."""

    samples: int = 0


class JobFailed(Message, tag="job.failed"):
    """The job ended by an error."""

    code: str
    detail: str = ""


class WorkHold(Message, tag="work.hold"):
    """Order to an agent of long jobs: a robot is being answered, so hold between two steps
    (``held``), or go on."""

    held: bool
