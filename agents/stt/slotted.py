"""A recogniser that takes its engine from a slot: for each utterance, and for that long."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from pkgutil import resolve_name
from weakref import WeakKeyDictionary, WeakSet

from agents.runtime.errors import AgentError
from agents.runtime.slot import About, EngineSlot
from agents.runtime.slotted import Slotted
from agents.stt.backends.base import (
    RECOGNISERS,
    Asked,
    Hypothesis,
    Recogniser,
    Redecoding,
    Stream,
    Transcript,
    Understood,
    transcribing,
)
from agents.stt.choice import Choice, chosen
from agents.stt.settings import SttSettings
from protocols.messages.transcribe import TranscribeSegment


class SlottedRecogniser(Slotted[Recogniser]):
    """An utterance that one engine began to hear it also transcribes; the next one may be another
    engine's. Where no engine is loaded, an utterance waits for one, and its sound with it.

    ``redecoding`` where an engine of the slot may be one that is asked for its partials.
    """

    def __init__(self, slot: EngineSlot[Recogniser], *, redecoding: bool = True) -> None:
        super().__init__(slot)
        self._redecoding = redecoding
        self._streams: WeakSet[SlottedStream] = WeakSet()

    def stream(self, language: str) -> "SlottedStream":
        """See ``Recogniser``."""
        kind = RedecodingSlottedStream if self._redecoding else SlottedStream
        stream = kind(self._slot, language)
        self._streams.add(stream)
        return stream

    async def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """See ``Transcribing``; one engine hears the whole recording."""
        async with (
            self._slot.lease() as engine,
            aclosing(transcribing(engine).transcribed(pcm, asked)) as told,
        ):
            async for each in told:
                yield each

    def _retire(self, engine: Recogniser) -> None:
        super()._retire(engine)
        for stream in self._streams:
            stream.forget(engine)


class SlottedStream:
    """See ``Stream``. An engine's own stream is kept from one utterance to the next, for what it
    knows of its speaker, as long as the engine stays; it goes with the engine."""

    def __init__(self, slot: EngineSlot[Recogniser], language: str) -> None:
        self._slot = slot
        self._language = language
        self._lease = AsyncExitStack()
        self._engine: Recogniser | None = None
        """Whose stream ``_stream`` is."""
        self._stream: Stream | None = None
        self._hearing = asyncio.Event()
        """An utterance has begun, and an engine is held for it."""

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        """See ``Stream``."""
        return await (await self._held()).feed(pcm)

    async def finish(self) -> Transcript:
        """See ``Stream``."""
        transcript = await (await self._held()).finish()
        await self._let_go()
        return transcript

    async def reset(self) -> None:
        """See ``Stream``."""
        if self._hearing.is_set() and self._stream is not None:
            await self._stream.reset()
        await self._let_go()

    async def close(self) -> None:
        """See ``Stream``. The stream of an engine that is gone is gone with it."""
        stream, self._stream, self._engine = self._stream, None, None
        try:
            if stream is not None:
                await stream.close()
        finally:
            await self._let_go()

    def forget(self, engine: Recogniser) -> None:
        """``engine`` is about to be closed: nothing may keep it in memory."""
        if self._engine is engine:
            self._stream = self._engine = None

    async def _held(self) -> Stream:
        """The stream of the engine that hears this utterance."""
        if not self._hearing.is_set():
            engine = await self._lease.enter_async_context(self._slot.lease())
            if engine is not self._engine or self._stream is None:
                self._engine, self._stream = engine, engine.stream(self._language)
            self._hearing.set()
        assert self._stream is not None
        return self._stream

    async def _let_go(self) -> None:
        self._hearing.clear()
        await self._lease.aclose()


class RedecodingSlottedStream(SlottedStream):
    """One that may be asked for partials. An engine that gives them by itself is never asked."""

    async def partial(self) -> Hypothesis:
        """See ``Redecoding``."""
        await self._hearing.wait()
        stream: Stream | Redecoding | None = self._stream
        while not isinstance(stream, Redecoding):
            await asyncio.Event().wait()
        return await stream.partial()


def slot_for(settings: SttSettings) -> EngineSlot[Recogniser]:
    """A slot with the recogniser that ``settings`` name.

    Raises:
        BackendUnavailable: as ``chosen``.
    """
    reasons: WeakKeyDictionary[Recogniser, str] = WeakKeyDictionary()

    def with_reason(choice: Choice) -> Recogniser:
        reasons[choice.recogniser] = choice.reason
        return choice.recogniser

    def make(model: str) -> Recogniser:
        if settings.backend == "scripted":
            scripted = resolve_name(RECOGNISERS["scripted"])(settings.script, model)
            return with_reason(Choice(scripted, "STT_BACKEND=scripted"))
        return with_reason(chosen(_with_model(settings, model) if model else settings))

    def about(engine: Recogniser) -> About:
        return About(engine.name, engine.capacity, engine.model, {"reason": reasons[engine]})

    return EngineSlot(
        with_reason(chosen(settings)),
        make,
        about,
        settings.slot_options,
        # The memory of a GPU is shared with planner and voice: no second model fits by surprise.
        beside=lambda _: settings.device == "cpu",
    )


def _with_model(settings: SttSettings, model: str) -> SttSettings:
    """The settings that name ``model``; ``auto`` takes faster-whisper for it.

    Raises:
        AgentError: the engine has no models to choose from (``no_models``).
    """
    match settings.backend:
        case "auto" | "faster_whisper":
            return settings.model_copy(update={"backend": "faster_whisper", "model_size": model})
        case "openai":
            return settings.model_copy(update={"openai_model": model})
        case name:
            raise AgentError(f"STT_BACKEND={name} has no models to choose from", "no_models")
