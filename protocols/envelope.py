"""The envelope: identity, times and cause of a message, and the message itself.

Identity lives here and nowhere else. ``robot`` is set by the hub from the credential of a
connection or from the assignment of an agent, never taken from what a peer claims.
"""

from typing import Generic, TypeVar

import msgspec

WIRE_VERSION = 1


class Message(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    gc=False,
):
    """Base of every payload model. The tag is the topic's class: ``SpeechChunk`` ⇄ ``speech.chunk``."""


M = TypeVar("M", bound=Message)


class Envelope(msgspec.Struct, Generic[M], kw_only=True, omit_defaults=True, gc=False):
    """A message in flight.

    ``id`` is unique per hub boot, whatever the source; ``cause`` is the id of the message that made
    this one. ``seq`` counts what one source sent under one topic, so a reader that is subscribed to
    the topic sees every loss. Times are nanoseconds of a monotonic clock: ``t_src_ns`` is the
    source's, stamped when the datum was acquired, ``t_hub_ns`` the hub's, on arrival.
    ``boot`` and ``order`` are set by the hub on control facts: one gapless sequence per robot.
    """

    v: int = WIRE_VERSION
    id: int = 0
    cause: int = 0
    robot: str = ""
    session: str = ""
    epoch: int = 0
    turn: int = 0
    job: int = 0
    src: str = ""
    seq: int = 0
    t_src_ns: int = 0
    t_hub_ns: int = 0
    ttl_ms: int = 0
    boot: int = 0
    order: int = 0
    body: M


AnyEnvelope = Envelope[Message]
