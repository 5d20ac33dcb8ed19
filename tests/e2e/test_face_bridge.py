"""A face on a serial line that joins a hub by itself, as processes."""

import sys
from pathlib import Path

import pytest

from protocols.messages.robot import TurnEnd
from tests.e2e.processes import SCRIPTED, running
from tests.e2e.test_supervisor import says, shows, started

pytestmark = pytest.mark.e2e


async def test_a_face_behind_a_bridge_follows_the_robot_of_its_name(tmp_path: Path) -> None:
    port = tmp_path / "face"
    device = (sys.executable, "-m", "robot_sim.face_device", "--link", port)
    async with running(tmp_path, SCRIPTED) as hub, started(*device) as face:
        await hub.ready()
        await face.until(says(str(port)))
        bridge = (sys.executable, "-m", "robot_sim.pi", "face-bridge", "--robot-id", "r1")
        there = ("--port", port, "--hub", hub.url, "--state-dir", tmp_path / "state")
        async with hub.robot("r1") as robot, started(*bridge, *there) as carrier:
            await face.until(shows(version=2))
            robot.write("hello there my robot")
            talked = await face.until(shows(talking=True, mood="happy", conversation="speaking"))
            await face.until(shows(talking=False), after=talked)
            await robot.next(TurnEnd)

            face.say("restart")  # the bridge carries bytes: it is the hub that notices
            anew = await face.until(shows(starts=2, version=1), after=talked)
            await face.until(shows(starts=2, version=2, mood="happy"), after=anew)

            face.say("tap ptt")
            await face.until(shows(listening=True, conversation="ptt"), after=anew)
            carrier.process.terminate()
            assert await carrier.ended() == 0, carrier.lines
        face.say("quit")
        assert await face.ended() == 0


@pytest.mark.parametrize("port", ["no-such-port"])
async def test_a_bridge_waits_for_a_port_that_is_not_there(port: str, tmp_path: Path) -> None:
    words = (sys.executable, "-m", "hub.cli", "face-bridge", "--robot-id", "r1", "--port", port)
    async with started(*words, "--hub", "ws://127.0.0.1:9", "--state-dir", tmp_path) as bridge:
        await bridge.until(says("cannot be opened"))
        bridge.process.terminate()
        assert await bridge.ended() == 0
