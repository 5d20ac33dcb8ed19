"""I4 between a hub and an agent that is a process: what is accepted is delivered, or its peer is
disconnected by name."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.broker.zmq import ZmqHubBus
from protocols.envelope import AnyEnvelope, Envelope
from protocols.errors import UnknownPeer
from protocols.link import ROBOT_BYTES
from protocols.messages.agent import AgentHeartbeat
from protocols.messages.turn import TurnCancel
from tests.contracts.bus_engines import PeerLog
from tests.e2e.faults import stopped

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


class Post:
    """A hub's bus with one agent process on it; commands are cancels of ever higher turns, and the
    agent's heartbeat tells the highest that reached it."""

    def __init__(self, hub: ZmqHubBus, pid: int) -> None:
        self.hub = hub
        self.log = PeerLog(hub)
        self.pid = pid
        self.agent = f"stt-primary-{pid}"
        self._beats: asyncio.Queue[AgentHeartbeat] = asyncio.Queue()
        self._turn = 0
        hub.subscribe(AgentHeartbeat, self._on_beat)

    def _on_beat(self, envelope: AnyEnvelope, _: bytes) -> None:
        assert isinstance(envelope.body, AgentHeartbeat)
        self._beats.put_nowait(envelope.body)

    def order(self, reason: str = "") -> None:
        """Send the agent a command; the bus has accepted it when this returns."""
        self._turn += 1
        body = TurnCancel(reason=reason)
        self.hub.send(self.agent, Envelope(robot="r1", turn=self._turn, body=body))

    async def all_delivered(self) -> None:
        """Return once the agent has obeyed the last command."""
        async with asyncio.timeout(10):
            while (await self._beats.get()).fences.get("r1") != self._turn:
                pass


@asynccontextmanager
async def a_post(folder: Path) -> AsyncIterator[Post]:
    directory = folder / "bus"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.agents.runtime.agent_program", "ready"),
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "HUB_BUS_DIR": str(directory), "HUB_LOG_LEVEL": "ERROR"},
    )
    post = Post(ZmqHubBus(directory, 1, clock=time.monotonic_ns), process.pid)
    try:
        async with post.hub:
            await post.log.next("joined", post.agent)
            yield post
    finally:
        process.terminate()
        await process.wait()


async def test_i4_a_process_that_overfills_its_link_is_disconnected_by_name(tmp_path: Path) -> None:
    async with a_post(tmp_path) as post:
        post.order()
        await post.all_delivered()
        with stopped(post.pid):
            for _ in range(ROBOT_BYTES // 1_000 + 1):
                post.order("x" * 1_000)
            _, _, reason = await post.log.next("left", post.agent)
            with pytest.raises(UnknownPeer, match=post.agent):
                post.order()
        await post.log.next("joined", post.agent)
        post.order()
        await post.all_delivered()

    assert reason.startswith("overrun")


async def test_i4_what_is_accepted_before_a_short_hang_is_delivered_after_it(
    tmp_path: Path,
) -> None:
    async with a_post(tmp_path) as post:
        with stopped(post.pid):
            for _ in range(20):
                post.order()
            await asyncio.sleep(0.3)
        await post.all_delivered()
        assert post.hub.peers == (post.agent,)
        assert post.log.events == []
