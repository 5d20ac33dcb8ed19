"""Many robots at once, and two that want to be the same one."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from protocols.codecs.robot import decode_to_robot, encode_text
from protocols.messages.robot import Hello, Ping, Pong, Welcome
from protocols.messages.session import ClockMeasured
from tests.integration.stack import Stack, running

CROWD = 500
WITHIN_S = 30.0


async def attach(hub: Stack, robot: str, resume: str = "") -> tuple[ClientConnection, Welcome]:
    client = await connect(hub.ws(f"/robot?robot_id={robot}"), compression=None, open_timeout=60)
    await client.send(encode_text(Hello(client="crowd", resume=resume)))
    while True:
        message = decode_to_robot(str(await client.recv()))
        if isinstance(message, Welcome):
            return client, message


async def test_five_hundred_robots_arrive_at_once_and_each_is_welcomed_and_asked_the_time(
    tmp_path: Path,
) -> None:
    async def arrive(n: int) -> tuple[ClientConnection, int]:
        client, welcome = await attach(hub, f"crowd{n}")
        while True:
            message = decode_to_robot(str(await client.recv()))
            if isinstance(message, Ping):
                now_ns = time.monotonic_ns()
                await client.send(
                    encode_text(Pong(t0_ns=message.t0_ns, t1_ns=now_ns, t2_ns=now_ns))
                )
                return client, welcome.epoch

    async with running(tmp_path) as hub, hub.http() as http:
        async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
            arrivals = [tasks.create_task(arrive(n)) for n in range(CROWD)]
        crowd = [arrival.result() for arrival in arrivals]
        assert [epoch for _, epoch in crowd] == [1] * CROWD
        status = await _status(http)
        async with asyncio.timeout(WITHIN_S):
            while len(status["clocks"]) < CROWD:
                status = await _status(http)
        assert len(status["robots"]) == status["sessions"]["active_sessions"] == CROWD
        assert status["sessions"]["registered"] == CROWD
        counters = status["counters"]
        assert not [name for name in counters if name.startswith(("slow_", "connections", "pongs"))]
        for client, _ in crowd:
            client.transport.abort()
        async with asyncio.timeout(WITHIN_S):
            while (await _status(http))["robots"]:
                pass


async def test_two_devices_with_one_id_stop_taking_the_robot_from_each_other(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as hub, hub.http() as http:
        first, _ = await attach(hub, "twin")
        held = [first]
        for _ in range(3):
            client, _ = await attach(hub, "twin")
            held.append(client)
        refused = await _close_of(hub, "twin")
        assert refused[0] == 4409
        assert refused[1].startswith("duel ")
        assert 0 < int(refused[1].removeprefix("duel ")) <= 60
        incumbent = held[-1]
        assert not incumbent.close_code
        counters = (await _status(http))["counters"]
        assert counters["robots_taken_over"] == 3
        assert counters["robots_duelled"] == counters["connections_refused.4409"] == 1
        assert [client.close_code for client in held[:-1]] == [4001] * 3
        incumbent.transport.abort()


async def test_a_robot_that_resumes_its_own_session_again_and_again_is_no_duelist(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as hub, hub.http() as http:
        client, welcome = await attach(hub, "loop")
        for epoch in range(2, 10):
            client, welcome = await attach(hub, "loop", welcome.resume)
            assert (welcome.epoch, welcome.resumed) == (epoch, True)
        assert "robots_duelled" not in (await _status(http))["counters"]
        await client.close()


async def test_a_robots_clock_is_a_fact_of_the_bus(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        hub.observe(ClockMeasured)
        async with hub.robot("r1") as robot:
            measured = await hub.fact(ClockMeasured)
            apart_ns = robot.now_ns() - time.monotonic_ns()
            assert abs(measured.offset_ns - apart_ns) < measured.error_ns + 50_000_000


async def _close_of(hub: Stack, robot: str) -> tuple[int, str]:
    """How the hub ends a connection that it does not welcome."""
    with pytest.raises(ConnectionClosed) as closed:
        await attach(hub, robot)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def _status(http: Any) -> Any:
    return (await http.get("/status")).json()
