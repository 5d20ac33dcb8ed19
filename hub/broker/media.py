"""The media lane between agents: XSUB to XPUB, forwarded by libzmq in a thread of its own."""

import threading
from pathlib import Path
from typing import Any

import zmq

from protocols.qos import MAX_MEDIA_BYTES

HIGH_WATER = 8192
"""Messages a slow reader may lag behind: what a hundred robots say and hear in two seconds at
20 ms a chunk is 10,000, and no reader may be that late."""


class MediaProxy:
    """Forwards until its context is terminated. Never blocks: a reader that is full loses the
    newest, and sees it by the gap."""

    def __init__(self, context: zmq.Context[Any], directory: Path, high_water: int) -> None:
        self._front = context.socket(zmq.XSUB)
        self._back = context.socket(zmq.XPUB)
        try:
            self._bind(directory, high_water)
        except zmq.ZMQError:
            self._close()
            raise
        self._thread = threading.Thread(target=self._forward, name="media-proxy", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread; the context must be terminating."""
        self._thread.join()

    def _bind(self, directory: Path, high_water: int) -> None:
        for socket, name in ((self._front, "media-in"), (self._back, "media-out")):
            socket.set(zmq.SNDHWM, high_water)
            socket.set(zmq.RCVHWM, high_water)
            socket.set(zmq.LINGER, 0)
            socket.set(zmq.MAXMSGSIZE, 2 * MAX_MEDIA_BYTES)
            socket.bind(f"ipc://{directory / name}")

    def _forward(self) -> None:
        try:
            zmq.proxy(self._front, self._back)
        except zmq.ContextTerminated:
            pass
        finally:
            self._close()

    def _close(self) -> None:
        self._front.close(0)
        self._back.close(0)
