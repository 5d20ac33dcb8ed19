"""Eyes whose model comes from a slot: for each answer, and for that long."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from agents.engines.language.base import LanguageModel, Prompt
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.progress import progress
from agents.runtime.service import Backend
from agents.runtime.slot import About, EngineSlot
from agents.runtime.slotted import Slotted
from agents.vision.backends.seeing import facts_of
from agents.vision.engines import Tools, chain, chosen, seeing
from agents.vision.settings import VisionSettings

SPARE = 4
"""Jobs beside chats that the agent takes at once: they need no model, and wait for each other."""
_SERVERS = frozenset({"openai", "anthropic", "ollama"})
"""Engines that may come up later."""
_NO_ROOM = frozenset({"transformers"})
"""Engines whose models take the memory of a device: two at once do not fit."""

log = structlog.get_logger(__name__)


class SlottedEyes(Slotted[LanguageModel]):
    """Whoever began an answer with one model ends it with that model. What needs no model works
    without one: a reader or a finder that is not installed is told of, and fails who asks for it."""

    def __init__(
        self,
        slot: EngineSlot[LanguageModel],
        tools: Tools,
        *,
        patient: bool = False,
        warm_up: bool = True,
        lacks: dict[str, str] | None = None,
    ) -> None:
        """``patient``: a model that is away may come up later. ``lacks`` takes the tools that cannot be
        started, and why."""
        super().__init__(slot)
        self._tools = tools
        self._patient = patient
        self._warm_up = warm_up
        self._lacks = {} if lacks is None else lacks

    @property
    def model(self) -> str:
        """What wrote the last answer."""
        serving = self._slot.serving
        return serving.model if serving is not None else self._slot.about.model

    async def start(self) -> None:
        """Load what is to be loaded.

        Raises:
            BackendUnavailable: the model cannot be loaded, and it is no server's.
        """
        for tool in self._tools if self._warm_up else ():
            await self._start_tool(tool)
        try:
            await super().start()
        except BackendUnavailable as error:
            if not self._patient:
                raise
            log.warning("vision_model_away", code=error.code, reason=str(error))

    async def close(self) -> None:
        """Free everything."""
        await super().close()
        for tool in self._tools:
            await tool.close()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``.

        Raises:
            AgentError: also where no engine can be loaded.
        """
        async with self._slot.lease() as model, aclosing(model.write(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    async def _start_tool(self, tool: Backend) -> None:
        progress(f"loading {tool.name}")
        try:
            await tool.start()
        except BackendUnavailable as error:
            self._lacks[tool.name] = str(error)
            log.warning("tool_missing", tool=tool.name, reason=str(error))


def eyes_for(
    settings: VisionSettings, tools: Tools
) -> tuple[SlottedEyes, EngineSlot[LanguageModel]]:
    """The eyes that ``settings`` name, and their slot.

    Raises:
        BackendUnavailable: as ``chosen``.
    """

    lacks: dict[str, str] = {}

    def make(model: str) -> LanguageModel:
        return named(settings, tools, model) if model else chosen(settings, tools)

    def about(model: LanguageModel) -> About:
        reason = getattr(model, "reason", "") or f"VISION_BACKEND={settings.backend}"
        info = {"reason": reason, "where": model.where, **facts_of(model), **lacks}
        return About(model.name, model.capacity + SPARE, model.model, info)

    slot = EngineSlot(
        chosen(settings, tools),
        make,
        about,
        settings.slot_options,
        beside=lambda model: model.name not in _NO_ROOM,
    )
    eyes = SlottedEyes(
        slot,
        tools,
        patient=settings.backend in _SERVERS,
        warm_up=settings.model_warmup,
        lacks=lacks,
    )
    return eyes, slot


def named(settings: VisionSettings, tools: Tools, model: str) -> LanguageModel:
    """An engine that sees with ``model``: the chosen one, or where that is ``auto`` the first that has
    it.

    Raises:
        AgentError: the engine has no models to choose from (``no_models``).
        BackendUnavailable: as ``chosen``.
    """
    servers = ",".join(part.partition("#")[0] for part in settings.base_url.split(","))
    fields = ("model", "openai_model", "anthropic_model", "hf_model")
    update = {**dict.fromkeys(fields, model), "base_url": servers}
    with_it = settings.model_copy(update=update)
    match settings.backend:
        case "embedded":
            raise AgentError("VISION_BACKEND=embedded has no models to choose from", "no_models")
        case "auto":
            return chain(with_it, tools)
        case name:
            return seeing(name, with_it)
