"""Services and backends that do what a test tells them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from agents.runtime.errors import AgentError
from agents.runtime.progress import progress
from agents.runtime.service import Emit, Inbox, Item, Scope
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.audio import MicChunk, SpeechChunk, UtteranceChunk
from protocols.messages.job import JobDone, SpeakRequest
from protocols.messages.session import AttentionSet, SessionAssign, SessionRelease
from protocols.messages.speech import SpeechCredit, SpeechEnded, SpeechFinish, SpeechRequest
from protocols.messages.transcript import TranscriptFinal
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta, TurnStart
from protocols.messages.voice import UtteranceFinish, VoiceStarted

Script = Callable[[Inbox, Emit], Awaitable[None]]


async def read_all(inbox: Inbox, emit: Emit) -> None:
    """Read until the scope is closed."""
    async for _ in inbox:
        pass


class ScriptedService:
    """Runs ``script`` for every scope and remembers what each one read and how it ended."""

    def __init__(
        self,
        scope: Scope = Scope.TURN,
        script: Script = read_all,
        *,
        name: str = "scripted",
        opens: set[type[Message]] | None = None,
        consumes: set[type[Message]] | None = None,
        closes: set[type[Message]] | None = None,
        produces: set[type[Message]] | None = None,
    ) -> None:
        declared = _DECLARATIONS[scope]
        self.name = name
        self.scope = scope
        self.opens = frozenset(declared[0] if opens is None else opens)
        self.consumes = frozenset(declared[1] if consumes is None else consumes)
        self.closes = frozenset(declared[2] if closes is None else closes)
        self.produces = frozenset(declared[3] if produces is None else produces)
        self.script = script
        self.read: list[Item] = []
        self.begun = 0
        self.finished = 0
        self.cancelled = 0

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        self.begun += 1
        try:
            await self.script(_Recording(inbox, self.read), emit)
            self.finished += 1
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    @property
    def bodies(self) -> list[Message]:
        """What all scopes read, in order."""
        return [item.envelope.body for item in self.read]


_DECLARATIONS: dict[Scope, tuple[set[type[Message]], ...]] = {
    Scope.TURN: (
        {TurnStart},
        {SpeechRequest, SpeechCredit},
        {SpeechFinish},
        {ResponseMeta, ResponseDelta, ResponseDone, SpeechChunk, SpeechEnded},
    ),
    Scope.SESSION: (
        {SessionAssign},
        {UtteranceChunk, UtteranceFinish},
        {SessionRelease},
        {TranscriptFinal},
    ),
    Scope.JOB: ({SpeakRequest}, set(), set(), {SpeechChunk, JobDone}),
}


class _Recording:
    """An inbox that notes what is read from it."""

    def __init__(self, inbox: Inbox, read: list[Item]) -> None:
        self._inbox = inbox
        self._read = read

    def __aiter__(self) -> "_Recording":
        return self

    async def __anext__(self) -> Item:
        item = await anext(self._inbox)
        self._read.append(item)
        return item


class ScriptedBatch:
    """Answers every microphone chunk with ``voice.started``; notes all calls in ``log``."""

    name = "scripted-batch"
    consumes: frozenset[type[Message]] = frozenset({MicChunk, AttentionSet})
    produces: frozenset[type[Message]] = frozenset({VoiceStarted})

    def __init__(
        self, fail: Exception | None = None, unfit: Mapping[str, AgentError] | None = None
    ) -> None:
        self.log: list[str] = []
        self.emits: dict[str, Emit] = {}
        self._fail = fail
        self._unfit = dict(unfit or {})

    def open(self, assign: AnyEnvelope, emit: Emit) -> None:
        self.log.append(f"open {assign.robot}")
        self.emits[assign.robot] = emit

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        self.log.append(f"{type(envelope.body).__name__} {envelope.robot}")
        if self._fail is not None:
            raise self._fail
        self.emits[envelope.robot](VoiceStarted(utterance=1, first_sample=0))

    def drained(self) -> Mapping[str, AgentError]:
        """``unfit`` says whose sessions cannot go on."""
        self.log.append("drained")
        unfit, self._unfit = self._unfit, {}
        return unfit

    def close(self, robot: str) -> None:
        self.log.append(f"close {robot}")


class ScriptedBackend:
    """Takes ``load_s`` to start, reporting progress, or fails with ``error``."""

    name = "scripted"

    def __init__(self, load_s: float = 0.0, error: Exception | None = None) -> None:
        self._load_s = load_s
        self._error = error
        self.closed = 0

    async def start(self) -> None:
        progress("load", 0, 2, "files")
        await asyncio.sleep(self._load_s / 2)
        progress("load", 1, 2, "files")
        await asyncio.sleep(self._load_s / 2)
        if self._error is not None:
            raise self._error

    async def close(self) -> None:
        self.closed += 1
