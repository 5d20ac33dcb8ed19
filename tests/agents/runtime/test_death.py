"""An agent whose engine ends by itself."""

import asyncio

import pytest

from agents.runtime.death import engine_died
from agents.runtime.errors import EngineDied
from protocols.messages.agent import AgentReady
from protocols.messages.turn import TurnStart
from tests.agents.runtime.rig import HubSide
from tests.agents.runtime.test_life import House
from tests.fakes.services import ScriptedBackend, ScriptedService
from tests.virtual_time import settle, virtual


class Mortal(ScriptedBackend):
    """Dies when it is told to, as an engine in a process of its own does: behind the loop's back."""

    async def start(self) -> None:
        await super().start()
        watch = asyncio.get_running_loop().create_future()
        watch.add_done_callback(lambda _: engine_died("it was killed"))
        self.kill = lambda: watch.set_result(None)


@virtual
async def test_it_takes_nothing_new_lets_open_turns_end_and_ends_loudly() -> None:
    backend = Mortal()
    house = House(backend, ScriptedService())
    hub = HubSide(house.broker)
    async with hub.bus, asyncio.TaskGroup() as tasks:
        life = tasks.create_task(_raised(house))
        await settle()
        hub.order(TurnStart(user_text="hello"), turn=1)
        await settle()
        backend.kill()
        await settle()
        capacities = [body.capacity for body in hub.bodies() if isinstance(body, AgentReady)]
        assert capacities == [4, 0]
        assert "killed" in str(await life)


async def _raised(house: House) -> EngineDied:
    with pytest.raises(EngineDied) as caught:
        await house.process.run()
    return caught.value


def test_outside_of_a_process_nobody_is_told() -> None:
    engine_died("nobody hears this")
