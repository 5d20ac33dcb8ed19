"""Tools on the real hub: programs that use its robots and models, and answers that use others'."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp.client.client import Client

from agents.ears.backends.scripted import ScriptedActivity
from agents.planner.agent import Conversation, Plans
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.planner.tools.allowed import Allowed
from agents.planner.tools.belt import Belt
from agents.planner.tools.client import connected
from agents.planner.tools.pins import Pins
from agents.runtime.life import Agent
from protocols.messages.robot import (
    CameraPicture,
    Capabilities,
    Emotion,
    Gestures,
    TurnEnd,
)
from protocols.messages.session import Camera, ClockMeasured
from protocols.messages.turn import Outcome, ToolPending, TurnEnded
from tests.fakes.job_services import Chatty
from tests.fakes.pictures import jpeg
from tests.fakes.tool_ear import ToolEar, tool_ear
from tests.integration.stack import PATIENCE_S, Stack, running

SEEING = Capabilities(camera=Camera(hfov_deg=70.0, width=64, height=48))


@asynccontextmanager
async def client_of(hub: Stack) -> AsyncIterator[Client]:
    async with Client(f"{hub.url}/mcp") as client:
        yield client


async def test_a_program_lets_a_robot_speak_feel_and_move(hub: Stack) -> None:
    async with hub.robot() as robot, client_of(hub) as client:
        said = await client.call_tool("say", {"text": "Lunch is ready.", "emotion": "happy"})
        assert json.loads(said.content[0].text) == {"robot_id": "r1", "outcome": "done"}
        end = await robot.next(TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, "Lunch is ready.")
        for name, arguments in (("emote", {"emotion": "happy"}), ("gesture", {"name": "nod"})):
            assert not (await client.call_tool(name, arguments)).is_error
        await robot.next(Emotion, lambda told: told.emotion == "happy")
        assert (await robot.next(Gestures)).names == ("nod",)
        state = (await client.call_tool("get_state", {})).structured_content
        assert (state["connected"], state["turn"]) == (True, 0)
        events = (await client.call_tool("recent_events", {"n": 50})).structured_content["events"]
        types = [event["type"] for event in events]
        assert types[0] == "robot.connected"
        assert types.count("turn.ended") == 3
        assert "gesture.played" in types
        assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
        assert "Lunch" not in json.dumps(events)


@pytest.mark.parametrize("consent", ["", "r1"])
async def test_a_program_sees_what_the_robot_sees_where_it_may(
    tmp_path: Path, consent: str
) -> None:
    async with running(tmp_path, hub_camera_consent=(consent,)) as hub:
        hub.observe(ClockMeasured)
        async with hub.robot(capabilities=SEEING) as robot, client_of(hub) as client:
            await hub.fact(ClockMeasured)
            shown = jpeg(64, 48, 200)
            picture = CameraPicture(t_ns=robot.now_ns(), width=64, height=48)
            robot.link.send_picture(picture, shown)
            robot.write("hello")
            await robot.next(TurnEnd)  # by then the picture is there, too
            result = await client.call_tool("look", {})
            told = json.loads(result.content[-1].text)
            if consent:
                assert base64.b64decode(result.content[0].data) == shown
                assert (told["consent"], told["ball_detected"]) == ("on", None)
            else:
                assert (told["consent"], told["reason"]) == ("off", "consent_off")
                assert len(result.content) == 1


async def test_a_call_and_its_cancel_reach_the_agent(tmp_path: Path) -> None:
    eyes = Chatty("a red ball", word_s=0.01)
    others = [("vision-primary", Agent(ScriptedActivity(), (eyes,), capacity=4))]
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg(64, 48, 9)).decode()}"
    parts = [{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": url}]
    arguments = {"model": "", "messages": [{"role": "user", "content": parts}]}
    async with running(tmp_path, others=others) as hub, client_of(hub) as client:
        result = await client.call_tool("img2txt", arguments)
        assert result.content[0].text.endswith("a red ball ")
        assert eyes.begun == ["what is it"]
        eyes.stalls = True
        async with asyncio.timeout(PATIENCE_S), anyio.create_task_group() as calls:
            calls.start_soon(client.call_tool, "img2txt", arguments)
            await eyes.until(lambda: len(eyes.begun) == 2)
            calls.cancel_scope.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await eyes.until(lambda: eyes.cancelled == 1)


async def test_a_hub_without_tools_has_no_such_route(tmp_path: Path) -> None:
    async with running(tmp_path, hub_mcp=False) as hub, hub.http() as http:
        assert (await http.post("/mcp", json={})).status_code == 404


def wish(tool: str, arguments: str = "{}") -> Script:
    call = {"name": f"fake.{tool}", "arguments": arguments}
    return Script((json.dumps({"tool": call, "text": ""}),))


@asynccontextmanager
async def equipped(
    tmp_path: Path, *scripts: Script, budget_s: float = 2.0
) -> AsyncIterator[tuple[Stack, ToolEar]]:
    """A hub whose planner may call the tools of a process for r1."""
    async with tool_ear() as ear:
        pins = Pins(tmp_path / "pins.json")
        belt = Belt({"fake": ear.server}, Allowed(["r1:fake.*"]), pins, connected, budget_s)
        planner = ScriptedPlanner(scripts)
        services = (Conversation(planner, belt), Plans(planner))
        agent = Agent(planner, services, capacity=4, beside=belt.run)
        async with running(tmp_path / "hub", planner=agent) as hub:
            async with asyncio.timeout(PATIENCE_S):
                while not belt.offers("r1"):
                    belt.news.clear()
                    await belt.news.wait()
            yield hub, ear


async def test_a_turn_is_answered_with_what_a_tool_returned(tmp_path: Path) -> None:
    answer = Script((json.dumps({"text": "It is five."}),))
    scripts = wish("add", '{"a": 2, "b": 3}'), answer
    async with equipped(tmp_path, *scripts) as (hub, ear), hub.robot() as robot:
        robot.write("how much is two and three")
        end = await robot.next(TurnEnd)
        assert (end.outcome, end.response_text, end.responder) == (
            Outcome.DONE, "It is five.", "primary",
        )  # fmt: skip
        assert ear.calls == ["add"]
        assert (await hub.fact(TurnEnded)).orphaned_tools == ()


async def test_a_tool_that_is_out_when_its_turn_is_cut_is_orphaned_and_never_repeated(
    tmp_path: Path,
) -> None:
    async with equipped(tmp_path, wish("slow")) as (hub, ear), hub.robot() as robot:
        hub.observe(ToolPending)
        robot.write("take your time")
        await ear.until_called("slow")
        await hub.fact(ToolPending)  # the tool may hear of its call before the hub does
        robot.cancel()
        ended = await hub.fact(TurnEnded, lambda turn: turn.outcome is Outcome.CANCELLED)
        assert ended.orphaned_tools == ("fake.slow",)
        await ear.until_called("slow", "cancelled")


async def test_a_server_that_dies_costs_the_turn_nothing_but_its_tool(tmp_path: Path) -> None:
    answer = Script((json.dumps({"text": "I could not find out."}),))
    async with equipped(tmp_path, wish("dies"), answer) as (hub, _), hub.robot() as robot:
        robot.write("how much is it")
        end = await robot.next(TurnEnd)
        assert (end.outcome, end.response_text) == (Outcome.DONE, "I could not find out.")
