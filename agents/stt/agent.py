"""Stt: the text of what users say, growing while they speak and final when they have."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from agents.stt.backends.base import Hypothesis, Recogniser, Redecoding, Stream, Transcript
from agents.stt.takes import SAMPLE_BYTES, Take, Takes
from protocols.envelope import Message
from protocols.messages.audio import MIC_RATE_HZ, UtteranceChunk
from protocols.messages.session import SessionAssign, SessionRelease
from protocols.messages.transcript import TranscriptFailed, TranscriptFinal, TranscriptPartial
from protocols.messages.voice import UtteranceDrop, UtteranceFinish


class Partials:
    """The text of a take as it grows; emitted where it has changed and somebody still wants it."""

    def __init__(self, take: Take, emit: Emit) -> None:
        self._take, self._emit = take, emit
        self._shown: Hypothesis | None = None

    def show(self, hypothesis: Hypothesis | None) -> None:
        """Take what the engine has to say by now."""
        if hypothesis and hypothesis != self._shown and not self._take.dropped:
            self._shown = hypothesis
            self._emit(TranscriptPartial(utterance=self._take.utterance, **hypothesis._asdict()))


class Stt:
    """One scope per session. Its inbox is read at once, whatever the recogniser is busy with;
    sound waits in :class:`Takes`, which says how much of it may."""

    name = "stt"
    scope = Scope.SESSION
    opens: frozenset[type[Message]] = frozenset({SessionAssign})
    consumes: frozenset[type[Message]] = frozenset({UtteranceChunk, UtteranceFinish, UtteranceDrop})
    closes: frozenset[type[Message]] = frozenset({SessionRelease})
    produces: frozenset[type[Message]] = frozenset(
        {TranscriptPartial, TranscriptFinal, TranscriptFailed}
    )

    def __init__(self, recogniser: Recogniser, language: str = "") -> None:
        self._recogniser = recogniser
        self._language = language
        """Of all sessions; empty: what each robot says."""
        self.counters: Counter[str] = Counter()

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """See ``Service``."""
        assign = (await anext(inbox)).envelope.body
        assert isinstance(assign, SessionAssign)
        stream = self._recogniser.stream(self._language or assign.language)
        takes = Takes(self.counters, asyncio.get_running_loop().time)
        try:
            async with asyncio.TaskGroup() as tasks:
                recognising = tasks.create_task(self._recognise(takes, stream, emit, tasks))
                await _read(inbox, takes)
                recognising.cancel()
        finally:
            await stream.close()

    async def _recognise(
        self, takes: Takes, stream: Stream, emit: Emit, tasks: asyncio.TaskGroup
    ) -> None:
        while True:
            take = await takes.oldest()
            try:
                await self._transcribe(take, stream, Partials(take, emit), emit, tasks)
            except AgentError as error:
                self.counters[error.code] += 1
                emit(TranscriptFailed(utterance=take.utterance, code=error.code, detail=str(error)))
                await stream.reset()
            takes.settle(take)

    async def _transcribe(
        self, take: Take, stream: Stream, partials: Partials, emit: Emit, tasks: asyncio.TaskGroup
    ) -> None:
        """Feed a take to its end and emit its transcript; emits nothing if it is dropped."""
        fed_bytes = 0
        async with self._redecoded(stream, partials, tasks):
            while pcm := await take.next_piece():
                fed_bytes += len(pcm)
                partials.show(await stream.feed(pcm))
        final = await self._final(take, stream, fed_bytes)
        if final is None:
            await stream.reset()
            return
        emit(
            TranscriptFinal(
                utterance=take.utterance,
                text=final.text,
                language=final.language,
                confidence=final.confidence,
                audio_ms=fed_bytes * 1000 // (SAMPLE_BYTES * MIC_RATE_HZ),
            )
        )

    async def _final(self, take: Take, stream: Stream, fed_bytes: int) -> Transcript | None:
        """The transcript of a take that was fed to its end; None if it is dropped by now."""
        if take.dropped:
            return None
        self.counters["samples_missing"] += take.missing()
        if not fed_bytes:
            raise AgentError("no sound of the utterance came", "no_audio")
        final = None
        async with take.while_wanted():
            final = await stream.finish()
        return None if take.dropped else final

    @asynccontextmanager
    async def _redecoded(
        self, stream: Stream, partials: Partials, tasks: asyncio.TaskGroup
    ) -> AsyncIterator[None]:
        """Inside, a stream that is asked for its partials is asked for them."""
        if not isinstance(stream, Redecoding):
            yield
            return
        asking = tasks.create_task(self._ask(stream, partials))
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _ask(self, stream: Redecoding, partials: Partials) -> None:
        """Show partials until nobody needs them; one that fails is counted, and not missed."""
        while True:
            try:
                partials.show(await stream.partial())
            except AgentError as error:
                self.counters[f"partial.{error.code}"] += 1


async def _read(inbox: Inbox, takes: Takes) -> None:
    async for item in inbox:
        match item.envelope.body:
            case UtteranceChunk(utterance=utterance, first_sample=first_sample):
                takes.add(utterance, first_sample, item.blob)
            case UtteranceFinish(utterance=utterance, last_sample=last_sample):
                takes.finish(utterance, last_sample)
            case UtteranceDrop(utterance=utterance):
                takes.drop(utterance)
            case _:
                pass
