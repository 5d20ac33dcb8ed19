"""A WebSocket that is a list."""

from collections.abc import Callable

from hub.edge.outbox import Frame


class FakeWire:
    """A ``Wire``; ``stall`` and ``flow`` play a peer that stops and starts reading."""

    def __init__(self) -> None:
        self.flowing = True
        self.frames: list[Frame] = []
        self.closed: tuple[int, str] | None = None
        self.on_flow: Callable[[bool], None] = lambda flowing: None

    def write(self, frame: Frame) -> None:
        assert self.closed is None, "written after the close"
        self.frames.append(frame)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def listen(self, on_frame: Callable[[Frame], None], on_flow: Callable[[bool], None]) -> None:
        self.on_flow = on_flow

    def stall(self) -> None:
        self.flowing = False
        self.on_flow(False)

    def flow(self) -> None:
        self.flowing = True
        self.on_flow(True)
