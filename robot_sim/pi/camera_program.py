"""A camera that is a program: whatever writes JPEGs one after the other to its standard output.

On a Pi ``rpicam-vid`` is that, for a USB camera ``v4l2-ctl`` or ``ffmpeg``.
"""

import shlex
import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from protocols.codecs.jpeg import jpeg_size
from protocols.codecs.robot import MAX_PICTURE_BYTES
from protocols.messages.session import Camera
from robot_sim.camera import DEFAULT_FPS, HFOV_DEG, Shot
from robot_sim.errors import NoCamera

FIRST_S = 10.0
"""How long the first picture may take."""
_READ_BYTES = 64 * 1024
_BEGINS, _ENDS = b"\xff\xd8", b"\xff\xd9"


def rpicam(fps: float = DEFAULT_FPS, width: int = 640, height: int = 480) -> list[str]:
    """What a Raspberry Pi's own camera is asked by."""
    size = ["--width", str(width), "--height", str(height), "--framerate", f"{fps:g}"]
    return ["rpicam-vid", "--timeout", "0", "--nopreview", "--codec", "mjpeg", *size, "-o", "-"]


class CameraProgram:
    """A ``PictureSource``; a context manager: inside, the program runs. ``broken`` counts what came
    and was no picture.

    Raises (on entry):
        NoCamera: it cannot be started, or gives no picture within ``FIRST_S``.
    """

    def __init__(self, command: Sequence[str], hfov_deg: float = HFOV_DEG) -> None:
        self._command = list(command)
        self._hfov_deg = hfov_deg
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._came = threading.Condition()
        self._shot: Shot | None = None
        self._number = 0
        self._taken = 0
        self._ended = False
        self.broken = 0

    @property
    def camera(self) -> Camera:
        assert self._shot is not None, "the camera is not open"
        return Camera(hfov_deg=self._hfov_deg, width=self._shot.width, height=self._shot.height)

    def shoot(self, at_s: float) -> Shot:
        """The newest picture; waits for one that was not handed out yet, as long as the program
        lives."""
        with self._came:
            self._came.wait_for(lambda: self._number > self._taken or self._ended, timeout=1.0)
            self._taken = self._number
            assert self._shot is not None, "the camera is not open"
            return self._shot

    def __enter__(self) -> Self:
        name = shlex.join(self._command[:1])
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise NoCamera(f"the camera {name} cannot be started: {error.strerror}") from error
        self._reader = threading.Thread(target=self._read, name="camera", daemon=True)
        self._reader.start()
        with self._came:
            self._came.wait_for(lambda: self._shot is not None or self._ended, timeout=FIRST_S)
        if self._shot is None:
            self._close()
            raise NoCamera(f"the camera {name} gives no picture")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join()
        if process is not None and process.stdout is not None:
            process.stdout.close()

    def _read(self) -> None:
        """In a thread of its own."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        held = bytearray()
        while data := process.stdout.read1(_READ_BYTES):  # type: ignore[attr-defined]
            held += data
            while (end := held.find(_ENDS)) >= 0:
                self._take(bytes(held[: end + len(_ENDS)]))
                del held[: end + len(_ENDS)]
            if len(held) > MAX_PICTURE_BYTES:
                self.broken += 1
                held.clear()
        with self._came:
            self._ended = True
            self._came.notify_all()

    def _take(self, data: bytes) -> None:
        begin = data.rfind(_BEGINS)
        size = jpeg_size(data[begin:]) if begin >= 0 else None
        if size is None:
            self.broken += 1
            return
        with self._came:
            self._shot = Shot(data[begin:], *size)
            self._number += 1
            self._came.notify_all()
