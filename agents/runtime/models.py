"""Loads and unloads models on the hub's word, as jobs, for any agent that has a slot."""

from typing import Any

from agents.runtime.life import Agent, Loaded
from agents.runtime.service import Backend, Emit, Inbox, Scope, Service
from agents.runtime.slot import EngineSlot
from protocols.envelope import Message
from protocols.messages.job import JobDone
from protocols.messages.model import ModelLoad, ModelUnload

Messages = frozenset[type[Message]]


class Models:
    """Switches the engine of ``slot``. A load whose job is cancelled is stopped, and what served
    before serves on."""

    name = "models"
    scope = Scope.JOB
    opens: Messages = frozenset({ModelLoad, ModelUnload})
    consumes: Messages = frozenset()
    closes: Messages = frozenset()
    produces: Messages = frozenset({JobDone})

    def __init__(self, slot: EngineSlot[Any]) -> None:
        self._slot = slot

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Carry out one order; done when new work gets the model, or when its memory is free.

        Raises:
            AgentError: the model cannot be loaded; the code says why.
        """
        order = (await anext(inbox)).envelope.body
        if isinstance(order, ModelLoad):
            await self._slot.switch(order.model)
        else:
            await self._slot.unload()
        emit(JobDone())


def agent_on(slot: EngineSlot[Any], backend: Backend, *services: Service) -> Agent:
    """An agent whose ``backend`` takes its engines from ``slot``: what it is announced to be follows
    the slot, and its models are loaded and unloaded on the hub's word."""

    def loaded() -> Loaded:
        return Loaded(slot.about.capacity, slot.about.model, slot.about.info)

    return Agent(
        backend,
        (*services, Models(slot)),
        capacity=slot.about.capacity,
        loaded=loaded,
        slot=slot,
    )
