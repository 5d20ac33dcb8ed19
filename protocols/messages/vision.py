"""What the vision agent is asked of a picture, and what it sees in a robot's camera.

Points are in the pixel space of the picture that was sent: x to the right and y down from its upper
left corner; every answer states its width and height.
"""

import msgspec

from protocols.envelope import Message
from protocols.messages.blob import BlobRef

STALE_FRAME_MS = 3_000
"""A camera frame older than this is no longer what the robot sees; nobody answers from it."""


class CameraFrame(Message, tag="camera.frame"):
    """A picture of a robot's camera (JPEG); the envelope's ``t_src_ns`` is when it was taken, by
    the hub's clock, and ``error_ms`` how far that may be off.

    ``by_arrival``: the robot's clock is not known yet, and the time is when the picture came; it
    was taken before, and nobody can say how long.
    """

    width: int
    height: int
    media_type: str = "image/jpeg"
    error_ms: float = 0.0
    by_arrival: bool = False


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """Text that was found: its centre and size in pixels, and how sure the reader is (0 to 1)."""

    text: str
    x: float
    y: float
    width: float
    height: float
    confidence: float


class GroundRequest(Message, tag="ground.request"):
    """Order: where on this screenshot is what bears the name ``name``? Empty: read everything."""

    picture: BlobRef
    name: str = ""


class GroundDone(Message, tag="ground.done"):
    """The places, the likeliest first; none, if the name is not there."""

    width: int
    height: int
    boxes: tuple[Box, ...] = ()


class Ball(msgspec.Struct, frozen=True, kw_only=True):
    """A ball: centre and radius in pixels. ``bearing_deg`` is the angle from the camera's axis,
    to the right positive, from the horizontal field of view of a pinhole camera."""

    colour: str
    x: float
    y: float
    radius: float
    bearing_deg: float
    confidence: float


class DetectRequest(Message, tag="detect.request"):
    """Order: which balls of these colours are in the picture? No colour: all that are known."""

    picture: BlobRef
    colours: tuple[str, ...] = ()
    hfov_deg: float = 62.0


class DetectDone(Message, tag="detect.done"):
    """The balls in the picture, the surest first."""

    width: int
    height: int
    balls: tuple[Ball, ...] = ()


class BallsSeen(Message, tag="balls.seen"):
    """State: the balls in a robot's newest camera frame, whose capture time is the envelope's
    ``t_src_ns``."""

    width: int
    height: int
    balls: tuple[Ball, ...] = ()
