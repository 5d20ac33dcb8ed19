"""Balls by their colour, with OpenCV, on one thread."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from agents.engines.pictures import decode, measured
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.vision.colours import (
    COLOURS,
    MIN_CONFIDENCE,
    MIN_RADIUS_PX,
    bearing_deg,
    confidence,
    known,
)
from agents.vision.seen import Scene
from protocols.messages.vision import Ball

WORKING_SIDE = 640
"""Pictures are made no larger than this to be searched; more pixels do not find more balls."""
MAX_BALLS = 32
T = TypeVar("T")

MIN_HFOV_DEG, MAX_HFOV_DEG = 1.0, 179.0


class ColourBalls:
    """Finds round spots of the colours in ``colours.py``."""

    name = "opencv"

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="balls")

    async def start(self) -> None:
        """Load OpenCV.

        Raises:
            BackendUnavailable: it is not installed.
        """
        await self._run(_library)

    async def close(self) -> None:
        """Nothing is kept."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def find(
        self, picture: bytes, colours: Sequence[str], hfov_deg: float
    ) -> "asyncio.Future[Scene]":
        """See ``BallFinder``. The future fails with ``bad_picture``, or ``BackendUnavailable`` if OpenCV
        is not installed."""
        wanted = known(colours)
        if not MIN_HFOV_DEG <= hfov_deg <= MAX_HFOV_DEG:
            raise AgentError(f"a field of view of {hfov_deg} degrees", "bad_hfov")
        return self._run(scene_of, picture, wanted, hfov_deg)

    def _run(self, work: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *args)


def scene_of(data: bytes, colours: Sequence[str], hfov_deg: float) -> Scene:
    """Blocking: what ``ColourBalls.find`` answers."""
    cv2 = _library()
    import numpy

    width, height, _ = measured(data)
    pixels = numpy.asarray(decode(data, WORKING_SIDE))
    scale = width / pixels.shape[1]
    blurred = cv2.GaussianBlur(pixels, (5, 5), 0)
    hsv = cv2.cvtColor(blurred, cv2.COLOR_RGB2HSV)
    found = [
        Ball(
            colour=colour,
            x=round((x + 0.5) * scale - 0.5, 2),
            y=round((y + 0.5) * scale - 0.5, 2),
            radius=round(radius * scale, 2),
            bearing_deg=round(bearing_deg((x + 0.5) * scale - 0.5, width, hfov_deg), 3),
            confidence=round(sure, 3),
        )
        for colour in colours
        for x, y, radius, sure in _spots(cv2, _mask(cv2, hsv, colour))
    ]
    found.sort(key=lambda ball: (-ball.confidence, -ball.radius))
    brightness = float(hsv[:, :, 2].mean()) / 255
    return Scene(width, height, tuple(found[:MAX_BALLS]), round(brightness, 3))


def _mask(cv2: Any, hsv: Any, colour: str) -> Any:
    masks = [
        cv2.inRange(hsv, (r.hue_from, r.saturation_from, r.value_from), (r.hue_to, 255, 255))
        for r in COLOURS[colour]
    ]
    mask = masks[0] if len(masks) == 1 else cv2.bitwise_or(*masks)
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(0, (3, 3)))


def _spots(cv2: Any, mask: Any) -> Iterator[tuple[float, float, float, float]]:
    """Centre, radius and confidence of each spot that is round enough."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        if len(contour) < 2 * MIN_RADIUS_PX:
            continue
        hull = cv2.convexHull(contour)
        (x, y), radius = cv2.minEnclosingCircle(hull)
        area = cv2.contourArea(hull)
        seen = cv2.contourArea(contour) / area if area else 0.0
        sure = confidence(area, cv2.arcLength(hull, True), radius, seen)
        if sure >= MIN_CONFIDENCE:
            yield x, y, radius, sure


def _library() -> Any:
    try:
        import cv2
        import numpy  # noqa: F401 - OpenCV's arrays are its
    except ImportError as error:
        raise BackendUnavailable(
            f"OpenCV is not installed; install robot-hub[vision] ({error})"
        ) from error
    cv2.setNumThreads(1)
    return cv2
