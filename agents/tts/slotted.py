"""A voice that takes its engine from a slot: for each phrase, and for that long."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from weakref import WeakKeyDictionary

from agents.runtime.slot import About, EngineSlot
from agents.runtime.slotted import Slotted
from agents.tts.backends.base import Lead, Marks, Sound, Voice, no_lead
from agents.tts.engines import Choice, chosen
from agents.tts.prosody import Prosody
from agents.tts.settings import TtsSettings


class SlottedVoice(Slotted[Voice]):
    """A phrase that one engine began it also ends; the next phrase of the response may be another
    engine's, so every sound says its rate. Where no engine is loaded, a phrase waits for one."""

    def __init__(self, slot: EngineSlot[Voice]) -> None:
        super().__init__(slot)
        self.rate_hz = 0
        """Of the engine that spoke last."""

    async def start(self) -> None:
        """See ``EngineSlot.start``."""
        await super().start()
        if self._slot.serving is not None:
            self.rate_hz = self._slot.serving.rate_hz

    async def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        """See ``Voice``.

        Raises:
            AgentError: also where no engine can be loaded.
        """
        async with self._slot.lease() as engine:
            self.rate_hz = engine.rate_hz
            async with aclosing(engine.speak(text, prosody, language, voice, lead)) as parts:
                async for part in parts:
                    if isinstance(part, Sound):
                        yield part._replace(rate_hz=part.rate_hz or engine.rate_hz)
                    else:
                        yield part


MODELS: Mapping[str, str] = {
    "kokoro": "kokoro_model",
    "openai": "openai_tts_model",
    "orpheus": "model_name",
}
"""Field of the settings that holds the model of each engine that has models."""


def slot_for(settings: TtsSettings) -> EngineSlot[Voice] | None:
    """A slot with the voice that ``settings`` name; None if it is one without models.

    Raises:
        BackendUnavailable: as ``chosen``.
    """
    first = chosen(settings)
    backend = first.voice.name
    if backend not in (*MODELS, "scripted"):
        return None
    labels: WeakKeyDictionary[Voice, tuple[str, str]] = WeakKeyDictionary()

    def labelled(choice: Choice) -> Voice:
        labels[choice.voice] = (choice.model, choice.reason)
        return choice.voice

    def make(model: str) -> Voice:
        choice = chosen(_with_model(settings, backend, model) if model else settings)
        return labelled(choice._replace(model=choice.model or model))

    def about(voice: Voice) -> About:
        model, reason = labels[voice]
        # A voice that is two says here, once it is started, which of them there are.
        info = {"reason": reason, **getattr(voice, "info", {})}
        return About(voice.name, voice.capacity, model, info)

    return EngineSlot(
        labelled(first),
        make,
        about,
        settings.slot_options,
        # Orpheus has the share of the GPU that was declared for one.
        beside=lambda _: backend != "orpheus",
    )


def _with_model(settings: TtsSettings, backend: str, model: str) -> TtsSettings:
    changes: dict[str, object] = {"backend": backend}
    if backend == "kokoro":
        changes["kokoro_model"] = Path(model)
    elif backend in MODELS:
        changes[MODELS[backend]] = model
    return settings.model_copy(update=changes)
