"""Cameras of a simulated robot: pictures from a folder, a rendered floor with a ball that rolls, or
what is before the robot in its world."""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from protocols.codecs.jpeg import jpeg_size
from protocols.codecs.robot import MAX_PICTURE_BYTES
from protocols.messages.session import Camera
from robot_sim.errors import UnreadablePictures
from robot_sim.room_plan import Pose, Room, look

Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""

BALL = "ball"
"""What the rendered scene is called where a folder could stand."""
WORLD = "world"
"""The same for what the robot's own world has before it."""
LENS_HEIGHT_MM = 150.0
_BEYOND_DEG = 6.0
"""The middle of a ball may be so far outside of a picture that its rim is in."""
HFOV_DEG = 62.0
"""Of a usual small camera module."""
DEFAULT_FPS = 5.0
_SUFFIXES = frozenset({".jpg", ".jpeg"})


class Shot(NamedTuple):
    """A picture that was taken: a JPEG and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


class Ball(NamedTuple):
    """A ball in a picture: its middle and its radius, in pixels."""

    x: float
    y: float
    radius: float


class PictureSource(Protocol):
    """What a camera looks at."""

    @property
    def camera(self) -> Camera:
        """The camera, as the robot's ``hello`` tells of it."""

    def shoot(self, at_s: float) -> Shot:
        """What is there at ``at_s`` seconds; takes a moment, so call it in a thread."""


class Folder:
    """The JPEGs of a folder in the order of their names, ``fps`` a second, again and again."""

    def __init__(self, folder: Path, fps: float = DEFAULT_FPS) -> None:
        """Raises:
        UnreadablePictures: it holds no JPEG, or one that a hub would not take.
        """
        self._fps = fps
        self._shots = [_read(path) for path in _pictures(folder)]
        if not self._shots:
            raise UnreadablePictures(f"{folder} holds no picture (*.jpg, *.jpeg)")

    @property
    def camera(self) -> Camera:
        first = self._shots[0]
        return Camera(hfov_deg=HFOV_DEG, width=first.width, height=first.height)

    def shoot(self, at_s: float) -> Shot:
        return self._shots[int(at_s * self._fps) % len(self._shots)]


@dataclass(frozen=True)
class RollingBall:
    """A red ball that rolls to and fro before the robot, once in ``period_s``."""

    width: int = 640
    height: int = 480
    radius: int = 50
    period_s: float = 8.0

    @property
    def camera(self) -> Camera:
        return Camera(hfov_deg=HFOV_DEG, width=self.width, height=self.height)

    def centre(self, at_s: float) -> tuple[float, float]:
        """Where the middle of the ball is, in pixels."""
        reach = self.width / 2 - 1.5 * self.radius
        x = self.width / 2 + reach * math.sin(2 * math.pi * at_s / self.period_s)
        return x, 0.65 * self.height

    def shoot(self, at_s: float) -> Shot:
        return Shot(encoded(self.render(at_s)), self.width, self.height)

    def render(self, at_s: float) -> Pixels:
        """The scene at ``at_s`` seconds."""
        return rendered(self.width, self.height, Ball(*self.centre(at_s), self.radius))


def rendered(width: int, height: int, ball: Ball | None) -> Pixels:
    """A grey wall over a brown floor, and the ball in the light of a lamp at its upper left."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2] = (176, 178, 180)
    pixels[height // 2 :] = (121, 105, 90)
    if ball is None:
        return pixels
    y, x = np.ogrid[:height, :width]
    across, down = (x - ball.x) / ball.radius, (y - ball.y) / ball.radius
    inside = across**2 + down**2 <= 1
    light = np.clip(1.05 - 0.35 * np.hypot(across + 0.4, down + 0.4), 0.4, 1.0)
    pixels[inside] = (light[inside][:, None] * (214, 34, 30)).astype(np.uint8)
    return pixels


class Looked(Protocol):
    """A world with a robot in it, as far as its camera goes."""

    @property
    def room(self) -> Room: ...

    @property
    def pose(self) -> Pose: ...


@dataclass(frozen=True)
class WorldCamera:
    """The camera of a robot in a simulated room: its ball where it is, as large as it seems from
    there, hidden by what stands before it."""

    world: Looked
    width: int = 640
    height: int = 480

    @property
    def camera(self) -> Camera:
        return Camera(hfov_deg=HFOV_DEG, width=self.width, height=self.height)

    def ball(self) -> Ball | None:
        """Where the ball is in the picture, in pixels; None if none of it is in there. By a pinhole
        camera that looks straight ahead."""
        room, pose = self.world.room, self.world.pose
        seen = look(room, pose, room.ball, HFOV_DEG + 2 * _BEYOND_DEG)
        if room.ball is None or seen is None:
            return None
        focal = self.width / 2 / math.tan(math.radians(HFOV_DEG / 2))
        aside = math.radians(seen.bearing_deg)
        ahead_mm = max(room.ball.radius, seen.distance_mm * math.cos(aside))
        below_mm = LENS_HEIGHT_MM - room.ball.radius
        return Ball(
            self.width / 2 + focal * math.tan(aside),
            self.height / 2 + focal * below_mm / ahead_mm,
            focal * room.ball.radius / ahead_mm,
        )

    def shoot(self, at_s: float) -> Shot:
        pixels = rendered(self.width, self.height, self.ball())
        return Shot(encoded(pixels), self.width, self.height)


def source_of(choice: str, fps: float = DEFAULT_FPS) -> PictureSource:
    """The camera that was asked for: ``ball``, or a folder of JPEGs; ``world`` needs a world.

    Raises:
        UnreadablePictures: there is no such folder, or nothing in it to be shown.
    """
    return RollingBall() if choice == BALL else Folder(Path(choice), fps)


def encoded(pixels: Pixels) -> bytes:
    """A JPEG, by PyAV, which faster-whisper brings along."""
    import av

    height, width, _ = pixels.shape
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuvj420p"
    codec.time_base = Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in (*codec.encode(frame), *codec.encode(None)))


def _pictures(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise UnreadablePictures(f"{folder} is no folder of pictures: {error.strerror}") from error


def _read(path: Path) -> Shot:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadablePictures(f"{path} cannot be read: {error.strerror}") from error
    size = jpeg_size(data)
    if size is None:
        raise UnreadablePictures(f"{path} is no JPEG")
    if len(data) > MAX_PICTURE_BYTES:
        raise UnreadablePictures(f"{path} has {len(data)} bytes, a hub takes {MAX_PICTURE_BYTES}")
    return Shot(data, *size)
