"""Stt: the text of what users say, growing while they speak and final when they have."""

import asyncio
from collections import Counter

from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from agents.stt.backends.base import Hypothesis, Recogniser, Stream
from agents.stt.takes import SAMPLE_BYTES, Take, Takes
from protocols.envelope import Message
from protocols.messages.audio import MIC_RATE_HZ, UtteranceChunk
from protocols.messages.session import SessionAssign, SessionRelease
from protocols.messages.transcript import TranscriptFailed, TranscriptFinal, TranscriptPartial
from protocols.messages.voice import UtteranceDrop, UtteranceFinish


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

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self.counters: Counter[str] = Counter()

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """See ``Service``."""
        assign = (await anext(inbox)).envelope.body
        assert isinstance(assign, SessionAssign)
        stream = self._recogniser.stream(assign.language)
        takes = Takes(self.counters, asyncio.get_running_loop().time)
        try:
            async with asyncio.TaskGroup() as tasks:
                recognising = tasks.create_task(self._recognise(takes, stream, emit))
                await _read(inbox, takes)
                recognising.cancel()
        finally:
            await stream.close()

    async def _recognise(self, takes: Takes, stream: Stream, emit: Emit) -> None:
        while True:
            take = await takes.oldest()
            try:
                await self._transcribe(take, stream, emit)
            except AgentError as error:
                self.counters[error.code] += 1
                emit(TranscriptFailed(utterance=take.utterance, code=error.code, detail=str(error)))
                await stream.reset()
            takes.settle(take)

    async def _transcribe(self, take: Take, stream: Stream, emit: Emit) -> None:
        """Feed a take to its end and emit its transcript; emits nothing if it is dropped."""
        fed_bytes = 0
        shown: Hypothesis | None = None
        while pcm := await take.next_piece():
            fed_bytes += len(pcm)
            hypothesis = await stream.feed(pcm)
            if hypothesis and hypothesis != shown and not take.dropped:
                shown = hypothesis
                emit(TranscriptPartial(utterance=take.utterance, **hypothesis._asdict()))
        if take.dropped:
            await stream.reset()
            return
        self.counters["samples_missing"] += take.missing()
        if not fed_bytes:
            raise AgentError("no sound of the utterance came", "no_audio")
        text, language, confidence = await stream.finish()
        if not take.dropped:
            emit(
                TranscriptFinal(
                    utterance=take.utterance,
                    text=text,
                    language=language,
                    confidence=confidence,
                    audio_ms=fed_bytes * 1000 // (SAMPLE_BYTES * MIC_RATE_HZ),
                )
            )


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
