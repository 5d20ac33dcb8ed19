"""Tts on the bus: phrases in, marks and audio out; or a whole text, as a job."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from agents.tts.backends.base import Voice
from agents.tts.credit import Credit
from agents.tts.speaker import Speaker
from protocols.envelope import Message
from protocols.messages.audio import SpeechChunk
from protocols.messages.job import JobDone, SpeakRequest
from protocols.messages.speech import (
    SpeechCredit,
    SpeechEnded,
    SpeechFinish,
    SpeechMarks,
    SpeechRequest,
)
from protocols.messages.turn import TurnStart

Messages = frozenset[type[Message]]
Requests = asyncio.Queue[SpeechRequest | None]


class Responses:
    """Speaks the phrases of a turn in the order of their requests, by credit (none at first).

    Nothing closes the inbox, since credit still comes after the last request: the scope is over
    when all phrases are sent.
    """

    name = "responses"
    scope = Scope.TURN
    opens: Messages = frozenset({TurnStart})
    consumes: Messages = frozenset({SpeechRequest, SpeechCredit, SpeechFinish})
    closes: Messages = frozenset()
    produces: Messages = frozenset({SpeechMarks, SpeechChunk, SpeechEnded})

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    @property
    def counters(self) -> Counter[str]:
        """What the voice counts, if it does: phrases shed, codes skipped, and the like."""
        return Counter(getattr(self._voice, "counters", {}))

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Speak one response.

        Raises:
            AgentError: see ``Speaker.speak``.
        """
        await anext(inbox)
        requests: Requests = asyncio.Queue()
        credit = Credit(0)
        reader = _read(inbox, requests, credit)
        await _beside(reader, self._speak_all(requests, credit, emit))

    async def _speak_all(self, requests: Requests, credit: Credit, emit: Emit) -> None:
        speaker: Speaker | None = None
        while (request := await requests.get()) is not None:
            speaker = speaker or Speaker(self._voice, emit, credit, request.rate_hz)
            spoken = await speaker.speak(request.phrase, request)
            emit(
                SpeechEnded(
                    phrase=request.phrase,
                    first_sample=spoken.first_sample,
                    last_sample=spoken.last_sample,
                    rate_hz=request.rate_hz,
                )
            )


class Jobs:
    """Speaks a whole text; as fast as it can until the first credit comes, then by credit."""

    name = "jobs"
    scope = Scope.JOB
    opens: Messages = frozenset({SpeakRequest})
    consumes: Messages = frozenset({SpeechCredit})
    closes: Messages = frozenset()
    produces: Messages = frozenset({SpeechMarks, SpeechChunk, JobDone})

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Speak one text.

        Raises:
            AgentError: see ``Speaker.speak``.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, SpeakRequest)
        credit = Credit(None)
        speaker = Speaker(self._voice, emit, credit, request.rate_hz)
        reader = _read(inbox, asyncio.Queue(), credit)
        await _beside(reader, self._speak(speaker, request, emit))

    async def _speak(self, speaker: Speaker, request: SpeakRequest, emit: Emit) -> None:
        spoken = await speaker.speak(0, request)
        emit(JobDone(samples=spoken.last_sample))


async def _read(inbox: Inbox, requests: Requests, credit: Credit) -> None:
    async for item in inbox:
        match item.envelope.body:
            case SpeechRequest() as request:
                requests.put_nowait(request)
            case SpeechCredit(until_ms=until_ms):
                credit.grant(until_ms)
            case SpeechFinish():
                requests.put_nowait(None)
            case _:
                pass
    requests.put_nowait(None)
    credit.end()


async def _beside(reader: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Run ``reader`` for as long as ``work`` takes."""
    failure: AgentError | None = None
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(reader)
        try:
            await work
        except AgentError as error:
            # Out of the group as itself: the runtime answers it with its code.
            failure = error
        reading.cancel()
    if failure is not None:
        raise failure
