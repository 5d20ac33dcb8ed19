"""One WebSocket between a robot and the hub: TCP as it is, without a socket.

Frames arrive in order and complete, or not at all once the connection is broken. They are late,
and while a side does not read, they wait: what the other side may leave waiting is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from hub.edge.outbox import Frame

HIGH_BYTES, LOW_BYTES = 8 * 1024, 4 * 1024
"""What the kernels of both ends take before the hub's socket stops flowing, and until when."""
_ABORT_S = 2.0
ABNORMAL = 1006


class Way:
    """One direction: frames, each with its delay, in the order in which they were sent."""

    def __init__(self, delay_s: Callable[[], float], deliver: Callable[[Any], None]) -> None:
        self._delay_s = delay_s
        self._deliver = deliver
        self._queue: deque[tuple[float, Any]] = deque()
        self._timer: asyncio.Handle | None = None
        self._free_at = 0.0
        self._last_due = 0.0
        self.bytes = self.stalls = 0
        self.broken = False

    def push(self, item: Any, size: int = 0) -> None:
        if self.broken:
            return
        now = asyncio.get_running_loop().time()
        self._last_due = max(now + self._delay_s(), self._free_at, self._last_due)
        self._queue.append((self._last_due, item))
        self.bytes += size
        if self._timer is None:
            self._arm()

    def hold(self, seconds: float) -> None:
        """Carry nothing for so long."""
        self.stalls += 1
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + seconds)
        self._queue = deque((max(due, self._free_at), item) for due, item in self._queue)
        if self._queue:
            self._last_due = self._queue[-1][0]
            self._arm()

    @property
    def held(self) -> bool:
        """Whether nothing is carried now."""
        return asyncio.get_running_loop().time() < self._free_at

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return bool(self._queue)

    def break_off(self) -> None:
        """What is on the way is lost, and nothing follows."""
        self.broken = True
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._queue[0][0], self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0][0] <= now and not self.broken:
            _, item = self._queue.popleft()
            self._deliver(item)
        if self._queue and not self.broken:
            self._arm()


class _Close(tuple[int, str]):
    """A close frame: code and reason."""


class Socket:
    """Both ends of a connection. The hub's end is a ``Wire`` and an ASGI channel."""

    def __init__(
        self,
        robot: str,
        delay_s: Callable[[], float],
        on_frame: Callable[["Socket", Frame], None],
        on_close: Callable[["Socket", int, str], None],
    ) -> None:
        self.robot = robot
        self.flowing = True
        self.down = Way(delay_s, self._at_robot)
        self.up = Way(delay_s, self._at_hub)
        self.closed_by_hub: tuple[int, str] | None = None
        self._robot_frame, self._robot_close = on_frame, on_close
        self._hub_frame: Callable[[Frame], None] | None = None
        self._hub_flow: Callable[[bool], None] = lambda _: None
        self._asgi: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._asgi.put_nowait({"type": "websocket.connect"})
        self._hub_told = self._robot_told = False

    # the hub's end, as ASGI

    @property
    def scope(self) -> dict[str, Any]:
        return {
            "type": "websocket",
            "path": "/robot",
            "query_string": f"robot_id={self.robot}".encode(),
            "headers": [],
            "state": {"robot_hub.wire": self},
        }

    async def receive(self) -> dict[str, Any]:
        return await self._asgi.get()

    async def send(self, message: Any) -> None:
        match message["type"]:
            case "websocket.send":
                self.write(message.get("text") or message["bytes"])
            case "websocket.close":
                self.close(message.get("code", 1000), message.get("reason") or "")

    # the hub's end, as a wire

    def write(self, frame: Frame) -> None:
        if self.closed_by_hub is not None or self.down.broken:
            return
        self.down.push(frame, len(frame))
        if self.flowing and self.down.bytes > HIGH_BYTES:
            self.flowing = False
            self._hub_flow(False)

    def close(self, code: int, reason: str) -> None:
        if self.closed_by_hub is not None:
            return
        self.closed_by_hub = (code, reason)
        self.down.push(_Close((code, reason)))
        asyncio.get_running_loop().call_later(_ABORT_S, self.abort)

    def listen(self, on_frame: Callable[[Frame], None], on_flow: Callable[[bool], None]) -> None:
        self._hub_frame, self._hub_flow = on_frame, on_flow
        ends = []
        while not self._asgi.empty():
            event = self._asgi.get_nowait()
            if event["type"] == "websocket.receive":
                on_frame(event.get("text") or event.get("bytes") or b"")
            else:
                ends.append(event)
        for event in ends:
            self._asgi.put_nowait(event)
        if not self.flowing:
            on_flow(False)

    # the robot's end

    def transmit(self, frame: Frame) -> None:
        self.up.push(frame, len(frame))

    @property
    def held(self) -> bool:
        """Whether either direction carries nothing now."""
        return self.up.held or self.down.held

    @property
    def stalls(self) -> int:
        """How often either direction was held up."""
        return self.up.stalls + self.down.stalls

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return self.up.busy or self.down.busy

    @property
    def alive(self) -> bool:
        return not (self._hub_told or self._robot_told)

    # the network

    def abort(self) -> None:
        """The connection breaks, and both ends notice."""
        self.lose_robot()
        self.tell_hub()

    def lose_robot(self) -> None:
        """The robot's end is gone. The hub's notices nothing yet."""
        self.down.break_off()
        self.up.break_off()
        if not self._robot_told:
            self._robot_told = True
            self._robot_close(self, ABNORMAL, "")

    def tell_hub(self) -> None:
        """The hub's end notices that the connection is gone."""
        if not self._hub_told:
            self._hub_told = True
            code, reason = self.closed_by_hub or (ABNORMAL, "")
            self._asgi.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _at_robot(self, item: Any) -> None:
        if isinstance(item, _Close):
            if not self._robot_told:
                self._robot_told = True
                self._robot_close(self, *item)
            self.abort()
            return
        self.down.bytes -= len(item)
        if not self._robot_told:
            self._robot_frame(self, item)
        if not self.flowing and self.down.bytes <= LOW_BYTES and self.closed_by_hub is None:
            self.flowing = True
            self._hub_flow(True)

    def _at_hub(self, frame: Frame) -> None:
        if self.closed_by_hub is not None or self._hub_told:
            return
        if self._hub_frame is not None:
            self._hub_frame(frame)
            return
        kind = "text" if isinstance(frame, str) else "bytes"
        self._asgi.put_nowait({"type": "websocket.receive", kind: frame})
