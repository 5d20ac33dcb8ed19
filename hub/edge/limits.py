"""How much may come in. What exceeds a limit is answered by a coded error."""

from enum import Enum
from typing import NamedTuple

from hub.edge.paths import longest, split_base

MAX_TEXT_CHARS = 5_000
"""Longest text to speak or to answer; about six minutes of speech."""
MAX_STRIKES = 20
"""Faulty frames after which a connection is closed."""
HELLO_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 1_000
"""WebSockets at once."""
PING_EVERY_S = 5.0
PONG_DEADLINE_S = 8.0
"""A peer that leaves a WebSocket ping unanswered for so long has vanished, or does not read. Longer
than a stall of its network that is no offence."""

KIB, MIB = 1024, 1024 * 1024

MAX_UPLOAD_BYTES = 25 * MIB
"""Largest file that is taken, as it is before base64."""
PARSED_IN_PLACE_BYTES = 256 * KIB
"""A larger body would stall the audio of the loop that parses it."""


class BodyClass(Enum):
    """How large a body of a route may be, in bytes."""

    CONTROL = 256 * KIB
    """Orders, plans, short texts."""
    TEXT = MIB
    """Long texts, conversations, knowledge."""
    MEDIA = 34 * MIB
    """JSON with a file in base64, which makes four thirds of it."""
    UPLOAD = MAX_UPLOAD_BYTES + 64 * KIB
    """A form with a file, and what stands around it."""


MAX_BODY_BYTES = BodyClass.CONTROL.value
"""Largest body of a route that stands in no row of the table."""

BODIES: tuple[tuple[str, BodyClass], ...] = (
    ("/generate", BodyClass.MEDIA),
    ("/ask", BodyClass.MEDIA),
    ("/ai", BodyClass.TEXT),
    ("/ai/knowledge", BodyClass.UPLOAD),
    ("/ai/process-audio", BodyClass.MEDIA),
    ("/ai/transcribe", BodyClass.MEDIA),
    ("/api/v1", BodyClass.TEXT),
    ("/v1", BodyClass.TEXT),
    ("/v1/chat/completions", BodyClass.MEDIA),
    ("/v1/embeddings", BodyClass.MEDIA),
    ("/v1/audio/transcriptions", BodyClass.UPLOAD),
    ("/v1/audio/translations", BodyClass.UPLOAD),
    ("/v1/images/edits", BodyClass.UPLOAD),
    ("/mcp", BodyClass.MEDIA),
)
"""The longest path wins, with or without the base of its family before it."""

MAX_BODIES_BYTES = 768 * MIB
"""Bodies in memory at once, of all callers: twenty of the largest and as many ordinary ones."""

MAX_JSON_DEPTH = 64
MAX_JSON_VALUES = 250_000
"""Values and keys of a JSON document: one of many small values takes thirty times its size."""
MAX_PARTS = 32
"""Parts of a form."""
MAX_FIELD_BYTES = 256 * KIB
"""A part of a form that is no file."""


class HeadLimits(NamedTuple):
    """What may stand before a body, and how long it may take to come."""

    url_bytes: int = 8 * KIB
    headers: int = 100
    bytes: int = 32 * KIB
    timeout_s: float = 10.0


class BodyPatience(NamedTuple):
    """How long a body may take to come: ``grace_s``, and from then on at least so fast."""

    grace_s: float = 15.0
    bytes_per_s: float = 32.0 * KIB

    def left_s(self, received: int, elapsed_s: float) -> float:
        """Seconds that remain for the next piece of a body of which ``received`` bytes came in
        ``elapsed_s``."""
        return self.grace_s + received / self.bytes_per_s - elapsed_s


BODY_PATIENCE = BodyPatience()


def body_class(path: str) -> BodyClass:
    """How large a body sent to ``path`` may be."""
    _, bare = split_base(path)
    return longest(bare, BODIES, BodyClass.CONTROL)
