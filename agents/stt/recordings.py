"""Recordings on request: a whole recording comes as a job's bytes, its text goes back stretch by
stretch."""

import asyncio
from contextlib import aclosing

from agents.runtime.blobs import PULL, PULL_ASKS, pull
from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from agents.stt.backends.base import Asked, Transcribing, Understood, main_language
from agents.stt.recorded import ms_of
from agents.stt.takes import SAMPLE_BYTES
from protocols.envelope import Message
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.job import JobDone
from protocols.messages.transcribe import TranscribeDone, TranscribeRequest, TranscribeSegment

LONGEST_S = 600
MAX_BYTES = LONGEST_S * MIC_RATE_HZ * SAMPLE_BYTES
"""Longest recording, 19.2 MB."""
AT_ONCE = 4
"""Recordings in memory; the sound of further jobs stays at the hub until it is their turn."""


class Transcriptions:
    """One scope per recording. How many an engine works on at once is its own affair."""

    name = "transcriptions"
    scope = Scope.JOB
    opens: frozenset[type[Message]] = frozenset({TranscribeRequest})
    consumes: frozenset[type[Message]] = PULL
    closes: frozenset[type[Message]] = frozenset()
    produces: frozenset[type[Message]] = PULL_ASKS | {TranscribeSegment, TranscribeDone, JobDone}

    def __init__(self, recogniser: Transcribing) -> None:
        self._recogniser = recogniser
        self._room = asyncio.Semaphore(AT_ONCE)

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Transcribe one recording.

        Raises:
            BlobMissing, BlobTooLarge: its sound did not come, or is too long.
            AgentError: ``no_audio``, ``bad_audio``, ``bad_request``; and what the engine raises.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, TranscribeRequest)
        asked = asked_of(request)
        async with self._room:
            pcm = checked(await pull(inbox, emit, request.audio, MAX_BYTES))
            async with aclosing(self._recogniser.transcribed(pcm, asked)) as told:
                async for each in told:
                    emit(each if isinstance(each, TranscribeSegment) else self._done(each, pcm))
        emit(JobDone())

    def _done(self, understood: Understood, pcm: bytes) -> TranscribeDone:
        return TranscribeDone(
            text=understood.text,
            language=understood.language,
            confidence=understood.confidence,
            language_confidence=understood.language_confidence,
            audio_ms=ms_of(len(pcm)),
            model=self._recogniser.model,
        )


def asked_of(request: TranscribeRequest) -> Asked:
    """How the recording is to be transcribed.

    Raises:
        AgentError: the temperature is none (``bad_request``).
    """
    temperature = request.temperature
    if temperature is not None and not 0.0 <= temperature <= 1.0:
        raise AgentError(f"a temperature is 0 to 1, not {temperature}", "bad_request")
    language = main_language(request.language)
    return Asked(language, request.prompt, temperature, request.words, request.translate)


def checked(pcm: bytes) -> bytes:
    """``pcm`` if it is whole samples, and any.

    Raises:
        AgentError: it is not (``no_audio``, ``bad_audio``).
    """
    if not pcm:
        raise AgentError("the recording holds no sound", "no_audio")
    if len(pcm) % SAMPLE_BYTES:
        raise AgentError("the recording ends within a sample", "bad_audio")
    return pcm
