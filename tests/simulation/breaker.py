"""The hand that breaks things, as the plan says."""

import asyncio
from typing import TYPE_CHECKING

from tests.simulation.device import Device
from tests.simulation.plan import Break, Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

_SILENT_PEER_S = 1.5
"""The hub gives up an agent that is silent for so long."""
_RESTART_S = 0.2
"""What a supervisor takes to start a process again."""
_FLOOD = 24
_FLOOD_CHARS = 4_500


class Breaker:
    """Breaks parts of ``world``, and mends them."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def strike(self, broken: Break) -> None:
        """Now."""
        self._world.story.note(
            "fault", f"{broken.fault} {broken.target} {broken.for_s} {broken.how}"
        )
        match broken.fault:
            case Fault.STALL | Fault.FLOOD | Fault.CUT | Fault.HALF_OPEN:
                assert isinstance(broken.target, int)
                self._break_wire(self._world.devices[broken.target], broken)
            case Fault.AGENT_CRASH:
                self._crash_agent(str(broken.target), broken.for_s)
            case Fault.AGENT_STALL | Fault.BUS_CUT:
                self._trouble_agent(broken)
            case Fault.HUB_KILL | Fault.HUB_RESTART:
                self._world.tasks.create_task(self._restart_hub(broken))

    def _break_wire(self, device: Device, broken: Break) -> None:
        socket = device.socket
        if socket is None:
            return
        match broken.fault:
            case Fault.STALL:
                if broken.how != 1:
                    socket.down.hold(broken.for_s)
                if broken.how != 2:
                    socket.up.hold(broken.for_s)
            case Fault.FLOOD:
                socket.down.hold(broken.for_s)
                for number in range(_FLOOD):
                    text = f"{device.name} flood {number} ".ljust(_FLOOD_CHARS, "o")
                    asyncio.get_running_loop().call_later(0.02 * number, device.type, text)
            case Fault.CUT:
                if broken.how == 3:
                    device.forget_token()
                socket.abort()
            case _:
                if broken.how == 3:
                    device.forget_token()
                device.drop()
                socket.lose_robot()
                asyncio.get_running_loop().call_later(broken.for_s, socket.tell_hub)

    def _crash_agent(self, name: str, for_s: float) -> None:
        life = self._world.agents.pop(name, None)
        if life is not None:
            self._world.broker.cut(life.bus.name, "killed", seconds=float("inf"))
            life.bus.is_open = False
            self._world.broker.waiting.pop(life.bus.name, None)
            life.task.cancel()
            asyncio.get_running_loop().call_later(_RESTART_S + for_s, self._world.start_agent, name)

    def _trouble_agent(self, broken: Break) -> None:
        life = self._world.agents.get(str(broken.target))
        bus = self._world.watcher if life is None else life.bus
        if life is None and broken.target != "watcher":
            return
        if broken.fault is Fault.BUS_CUT:
            self._world.broker.cut(bus.name, "cut", seconds=broken.for_s)
            return
        bus.stall(broken.for_s)
        if broken.for_s > _SILENT_PEER_S:
            rest = broken.for_s - _SILENT_PEER_S
            asyncio.get_running_loop().call_later(
                _SILENT_PEER_S, self._world.broker.cut, bus.name, "silent", rest
            )

    async def _restart_hub(self, broken: Break) -> None:
        hub, self._world.hub = self._world.hub, None
        if hub is None:
            return
        if broken.fault is Fault.HUB_RESTART:
            hub.dismiss()
            await asyncio.sleep(_RESTART_S)
        await hub.kill()
        await asyncio.sleep(min(broken.for_s, 1.0))
        await self._world.start_hub()
