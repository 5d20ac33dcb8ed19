"""A vision agent that sees what a test says, and remembers what it was shown."""

import asyncio
from typing import NamedTuple

from agents.runtime.blobs import PULL, PULL_ASKS, pull
from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.job import JobDone
from protocols.messages.session import Camera, SessionAssign
from protocols.messages.vision import CameraFrame

Messages = frozenset[type[Message]]


class ScriptedEyes:
    """Answers every chat with ``text``, or fails with ``error``, or never (``stuck``).

    ``shown`` are the pictures and ``asked`` the questions in order; ``given_up`` counts chats that
    were cancelled.
    """

    name = "chats"
    scope = Scope.JOB
    opens: Messages = frozenset({ChatRequest})
    consumes: Messages = PULL
    closes: Messages = frozenset()
    produces: Messages = PULL_ASKS | {ChatDelta, ChatDone, JobDone}

    def __init__(
        self, text: str = "A red ball.", *, error: AgentError | None = None, stuck: bool = False
    ) -> None:
        self.text = text
        self.error = error
        self.stuck = stuck
        self.shown: list[bytes] = []
        self.asked: list[str] = []
        self.given_up = 0
        self.changed = asyncio.Event()

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Look at the picture of the last message."""
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ChatRequest)
        last = request.messages[-1]
        self.shown.append(await pull(inbox, emit, last.pictures[0], 1 << 20))
        self.asked.append(last.text)
        self.changed.set()
        if self.stuck:
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1
                self.changed.set()
        if self.error is not None:
            raise self.error
        for word in self.text.split():
            emit(ChatDelta(text=f"{word} "))
        emit(ChatDone())
        emit(JobDone())


class Watched(NamedTuple):
    """A frame as it came over the bus."""

    robot: str
    frame: CameraFrame
    taken_ns: int
    jpeg: bytes


class FrameWatcher:
    """A service that hears frames of the sessions it is assigned."""

    name = "sight"
    consumes: Messages = frozenset({CameraFrame})
    produces: Messages = frozenset()

    def __init__(self) -> None:
        self.cameras: dict[str, Camera | None] = {}
        self.frames: list[Watched] = []
        self.changed = asyncio.Event()

    def open(self, assign: AnyEnvelope, emit: Emit) -> None:
        """A session begins."""
        assert isinstance(assign.body, SessionAssign)
        self.cameras[assign.robot] = assign.body.camera
        self.changed.set()

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        """A frame came."""
        assert isinstance(envelope.body, CameraFrame)
        self.frames.append(Watched(envelope.robot, envelope.body, envelope.t_src_ns, blob))
        self.changed.set()

    def drained(self) -> dict[str, AgentError]:
        """Nothing is batched."""
        return {}

    def close(self, robot: str) -> None:
        """A session is over."""
        del self.cameras[robot]
        self.changed.set()
