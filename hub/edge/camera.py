"""A robot's camera on its way into the session: few enough, small enough, and on the hub's clock.

What a picture shows is for others to decode. Here its size is read from its header, so that one
that claims to be small and unpacks to gigabytes goes no further.
"""

from collections.abc import Callable
from typing import NamedTuple

from hub.counters import Counters
from hub.edge.clock import Reading
from hub.edge.rate import AudioBucket
from protocols.codecs.jpeg import jpeg_size
from protocols.errors import BadPicture, PictureTooLarge
from protocols.messages.robot import CameraPicture
from protocols.messages.session import Camera
from protocols.messages.vision import CameraFrame

JPEG = "image/jpeg"
MAX_SIDE = 4_096
"""Pixels; a decoded picture of this width and height takes 48 MiB."""
MAX_PER_SECOND = 15
_CREDIT_S = 1.0
_PICTURE_S = 1 / MAX_PER_SECOND
"""What a picture takes out of a bucket that fills with a second a second."""
_MS = 1_000_000

Deliver = Callable[[CameraFrame, bytes, int], None]
"""Takes the message, the JPEG, and when it was taken in ns of the hub's clock."""


class TooManyPictures(BadPicture):
    """Pictures come faster than ``MAX_PER_SECOND``; those above it are thrown away."""

    code = "too_many_pictures"


class Moment(NamedTuple):
    """When a picture was taken, in ns of the hub's clock, and how far that may be off."""

    taken_ns: int
    error_ms: float
    by_arrival: bool


def moment(t_ns: int, clock: Reading | None, now_ns: int) -> Moment:
    """When a picture that came at ``now_ns`` was taken, if the robot says ``t_ns``. Without a
    reading of the robot's clock, or with one that is plainly wrong, it is the arrival that counts.
    """
    if clock is None:
        return Moment(now_ns, 0.0, True)
    taken_ns, error_ns = clock.hub_time(t_ns), clock.error_at(now_ns)
    if taken_ns > now_ns + error_ns:
        return Moment(now_ns, 0.0, True)
    return Moment(max(0, min(taken_ns, now_ns)), round(error_ns / _MS, 3), False)


def check_picture(header: CameraPicture, jpeg: bytes, camera: Camera | None) -> None:
    """Raises:
    BadPicture: the robot's ``hello`` names no camera, or ``jpeg`` is not what the header says.
    PictureTooLarge: it has more than ``MAX_SIDE`` pixels in a row or a column.
    """
    if camera is None:
        raise BadPicture("the hello names no camera")
    if header.media_type != JPEG:
        raise BadPicture(f"a picture is {JPEG}, not {header.media_type[:40]!r}")
    size = jpeg_size(jpeg)
    if size is None:
        raise BadPicture(f"{len(jpeg)} bytes are no JPEG")
    if max(size) > MAX_SIDE:
        raise PictureTooLarge(f"picture of {size[0]} x {size[1]}, {MAX_SIDE} a side are allowed")
    if size != (header.width, header.height):
        raise BadPicture(
            f"picture of {size[0]} x {size[1]}, its header says {header.width} x {header.height}"
        )


class CameraIntake:
    """Checks the pictures of one connection and hands them on at once; nothing waits here."""

    def __init__(
        self, camera: Camera | None, deliver: Deliver, counters: Counters, now_s: float
    ) -> None:
        self._camera = camera
        self._deliver = deliver
        self._counters = counters
        self._bucket = AudioBucket(now_s, _CREDIT_S)
        self._told = False

    def feed(self, header: CameraPicture, jpeg: bytes, clock: Reading | None, now_ns: int) -> None:
        """Take a picture from the wire.

        Raises:
            BadPicture: it is refused; of those that are too many, only the first is answered.
        """
        if not self._bucket.take(_PICTURE_S, now_ns / 1e9):
            self._counters.count("camera_pictures.over_rate")
            if not self._told:
                self._told = True
                raise TooManyPictures(f"more than {MAX_PER_SECOND} pictures a second")
            return
        check_picture(header, jpeg, self._camera)
        taken = moment(header.t_ns, clock, now_ns)
        if taken.by_arrival:
            self._counters.count("camera_pictures.by_arrival")
        frame = CameraFrame(
            width=header.width,
            height=header.height,
            error_ms=taken.error_ms,
            by_arrival=taken.by_arrival,
        )
        self._deliver(frame, jpeg, taken.taken_ns)
