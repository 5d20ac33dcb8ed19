"""A painter that takes its engine from a slot: for each order, and for that long."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from weakref import WeakKeyDictionary

from agents.image_gen.backends.base import News, Order, Painter
from agents.image_gen.engines import Choice, chosen, lacking, scripted
from agents.image_gen.settings import ImageSettings
from agents.runtime.latch import Latch
from agents.runtime.slot import About, EngineSlot
from agents.runtime.slotted import Slotted


class SlottedPainter(Slotted[Painter]):
    """An order that one engine began it also ends, whatever happens to the slot. Where no engine is
    loaded, an order waits for one."""

    async def paint(self, order: Order) -> AsyncGenerator[News, None]:
        """See ``Painter``.

        Raises:
            AgentError: also where no engine can be loaded.
        """
        async with self._slot.lease() as painter, aclosing(painter.paint(order)) as news:
            async for one in news:
                yield one


def slot_for(settings: ImageSettings, latch: Latch) -> EngineSlot[Painter]:
    """A slot with the painter that ``settings`` name.

    Raises:
        BackendUnavailable: as ``chosen``.
    """
    reasons: WeakKeyDictionary[Painter, str] = WeakKeyDictionary()

    def with_reason(choice: Choice) -> Painter:
        reasons[choice.painter] = choice.reason
        return choice.painter

    def make(model: str) -> Painter:
        if settings.backend == "scripted":
            return with_reason(Choice(scripted(settings, latch, model), "IMAGE_BACKEND=scripted"))
        return with_reason(chosen(with_model(settings, model) if model else settings, latch))

    def about(painter: Painter) -> About:
        return About(painter.name, painter.capacity, painter.model, {"reason": reasons[painter]})

    return EngineSlot(
        with_reason(chosen(settings, latch)),
        make,
        about,
        settings.slot_options,
        # Two models at once do not fit into a device's memory.
        beside=lambda painter: painter.name != "diffusers",
    )


def with_model(settings: ImageSettings, model: str) -> ImageSettings:
    """The settings that name ``model``. ``auto`` takes it from the disk, else it is the server's."""
    on_disk = settings.model_copy(update={"model_name": model, "model_path": ""})
    on_server = settings.model_copy(update={"openai_model": model, "backend": "openai"})
    match settings.backend:
        case "openai":
            return on_server
        case "auto" if lacking(on_disk) and settings.endpoint.base_url:
            return on_server
        case _:
            return on_disk
