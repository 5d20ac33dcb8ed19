"""Where the robot's own voice is taken out of its microphone, before anything listens to it."""

from typing import Protocol

import structlog

from protocols.messages.session import EchoCanceller

log = structlog.get_logger(__name__)


class Canceller(Protocol):
    """Cleans one microphone; it is fed every sample in order."""

    def process(self, robot: str, pcm: bytes, playout_sample: int) -> bytes:
        """``pcm`` (s16le) without echo, of the same length. ``playout_sample`` was playing when
        its first sample was captured, -1 where the device does not say."""


class NoCancelling:
    """Leaves the sound as it is: the device cancels by itself, or nobody does."""

    def process(self, robot: str, pcm: bytes, playout_sample: int) -> bytes:
        return pcm


def canceller(aec: EchoCanceller, robot: str) -> Canceller:
    """The canceller a connection asked for."""
    if aec is EchoCanceller.HUB:
        log.warning("echo_not_cancelled", robot=robot, aec=aec)
    return NoCancelling()
