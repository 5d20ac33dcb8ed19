"""Bytes of jobs over real sockets: they neither break a link nor keep a cancel waiting."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agents.runtime.bus.zmq import ZmqAgentBus
from agents.runtime.runner import ServiceRunner
from agents.runtime.service import Service
from hub.broker.zmq import ZmqHubBus
from hub.jobs.desk import JobDesk
from hub.registry import Registry
from protocols.envelope import Envelope
from protocols.messages.agent import AgentHello, AgentKind, AgentReady
from protocols.messages.chat import ChatDelta
from tests.fakes.job_services import Chatty, picture
from tests.hub.jobs.shop import chat


@asynccontextmanager
async def serving(directory: Path, service: Service) -> AsyncIterator[tuple[JobDesk, list[str]]]:
    """A desk, and an agent that serves it by real sockets; what links were lost, and why."""
    lost: list[str] = []
    hub = ZmqHubBus(directory, 1, clock=time.monotonic_ns)
    registry = Registry(hub)
    hub.on_peers(lambda name, hello: None, lambda name, reason: lost.append(reason))
    ready = asyncio.Event()
    registry.watch(lambda agent, up: ready.set())
    desk = JobDesk(hub, registry)
    bus = ZmqAgentBus(directory, "vision-1", AgentHello(kind=AgentKind.VISION))
    runner = ServiceRunner(bus, [service], clock=time.monotonic_ns)
    bus.on_link(
        lambda: bus.publish(Envelope(body=AgentReady(capacity=40, backend="scripted"))),
        lambda reason: runner.link_lost(),
    )
    async with asyncio.timeout(30), hub, asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run())
        await asyncio.sleep(0)
        async with bus:
            await ready.wait()
            yield desk, lost
            assert not lost, "the link has stood all the time"
        runner.stop()


async def _read(desk: JobDesk, number: int, size_bytes: int = 600_000) -> str:
    told = desk.run(chat("?", picture(size_bytes, number), client=str(number % 4)))
    return "".join([f.body.text async for f in told if isinstance(f.body, ChatDelta)])


async def test_many_pictures_at_once_arrive_whole_over_one_link(tmp_path: Path) -> None:
    async with serving(tmp_path, Chatty("")) as (desk, _):
        told = await asyncio.gather(*(_read(desk, number) for number in range(24)))
    for number, text in enumerate(told):
        assert text == f"600000 {hashlib.sha256(picture(600_000, number)).hexdigest()} "


async def test_a_job_is_cancelled_in_the_middle_of_its_picture(tmp_path: Path) -> None:
    agent = Chatty("")
    async with serving(tmp_path, agent) as (desk, _):
        for number in range(8):
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_read(desk, number, 9_000_000))
                await agent.until(lambda at=number: len(agent.begun) > at)
                reading.cancel()
        await agent.until(lambda: agent.cancelled == 8)
        assert {record.state for record in desk.records()} == {"cancelled"}
