"""The memory process: ``python -m agents.memory``."""

import structlog

from agents.memory.agent import Documents, Embeddings, Remembrance, Retrieval
from agents.memory.engines import WORDS, chosen
from agents.memory.keeper import CAPACITY, Keeper
from agents.memory.library import Library
from agents.memory.robots import RobotMemories
from agents.memory.settings import MemorySettings
from agents.memory.slotted import NoEmbedders, SlottedEmbedders, slot_for
from agents.memory.store import Store
from agents.runtime.latch import Latch
from agents.runtime.life import Loaded
from agents.runtime.models import Models
from agents.runtime.process import Agent, run_agent
from agents.runtime.service import Service
from protocols.messages.agent import AgentKind

log = structlog.get_logger(__name__)


def build(settings: MemorySettings) -> Agent:
    """Put the memory on the file and the embedder that the settings name."""
    choice, latch, store = chosen(settings), Latch(), Store(settings.directory)
    log.info("embedder_chosen", backend=choice.name, reason=choice.reason)
    slot = slot_for(choice.name, settings, choice.reason) if choice.name != WORDS else None
    embedders = SlottedEmbedders(slot) if slot is not None else NoEmbedders(choice.reason)
    library, memories = Library(store, embedders, latch), RobotMemories(store, settings.consent)
    services: list[Service] = [
        Embeddings(embedders, latch),
        Documents(library),
        Retrieval(library),
        Remembrance(memories),
    ]
    if slot is not None:
        services.append(Models(slot))

    def loaded() -> Loaded:
        model = slot.about.model if slot is not None else ""
        return Loaded(CAPACITY, model, {"reason": choice.reason})

    keeper = Keeper(store, memories, choice, slot)
    return Agent(keeper, services, capacity=CAPACITY, loaded=loaded, slot=slot, latch=latch)


if __name__ == "__main__":
    run_agent(AgentKind.MEMORY, MemorySettings, build)
