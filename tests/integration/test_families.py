"""Old programs at their old ports, over a hub with a real planner agent."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from agents.engines.language.base import Prompt
from agents.planner.backends.scripted import ScriptedPlanner
from agents.runtime.life import Agent
from agents.vision.agent import Chats, Ground
from agents.vision.backends.balls import ColourBalls
from agents.vision.backends.embedded import EmbeddedModel
from agents.vision.backends.ocr import OcrReader
from agents.vision.engines import Tools
from tests.agents.vision.screens import dialog
from tests.integration.stack import PATIENCE_S, running


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Storyteller(ScriptedPlanner):
    """Repeats what it is asked, and goes on for ever with a story until nobody reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.left = asyncio.Event()

    async def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        if prompt.messages[-1].text != "a story":
            async with aclosing(super().chat(prompt)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        try:
            yield "for "
            await asyncio.Event().wait()
        finally:
            self.left.set()


class Old:
    """Addresses of old ports, and the planner behind them."""

    def __init__(self, planner: Storyteller, ports: list[int]) -> None:
        self.planner = planner
        self.fictures, self.auraos, self.robots = (f"127.0.0.1:{port}" for port in ports)


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[Old]:
    ports, planner = free_ports(3), Storyteller()
    families = ("fictures", "auraos", "robot-buddy")
    listen = [f"{port}={family}" for port, family in zip(ports, families, strict=True)]
    async with running(tmp_path, planner=planner, hub_listen=",".join(listen)):
        yield Old(planner, ports)


async def test_each_old_client_finds_its_own_server(old: Old) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        health = await http.get(f"http://{old.fictures}/health")
        assert health.json()["status"] == "healthy"
        asked = {"prompt": "once upon a time", "max_tokens": 2}
        text = (await http.post(f"http://{old.fictures}/api/v1/text/generate", json=asked)).json()
        assert (text["text"], text["tokens_used"]) == ("once upon", 2)

        health = await http.get(f"http://{old.auraos}/health")
        assert health.json() == {"status": "ok", "backend": "Scripted", "model_loaded": True}
        said = (await http.post(f"http://{old.auraos}/ask", json={"query": "good morning"})).json()
        assert (said["response"], said["backend"]) == ("good morning", "scripted")

        health = await http.get(f"http://{old.robots}/health")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
    async with connect(f"ws://{old.robots}/converse?robot_id=r1") as robot:
        assert json.loads(await robot.recv()) == {"type": "listening"}


async def test_a_stream_is_told_as_it_grows_and_its_client_ends_it(old: Old) -> None:
    path = f"http://{old.fictures}/api/v1/text/stream"
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        async with http.stream("POST", path, json={"prompt": "one two"}) as response:
            lines = [line async for line in response.aiter_lines() if line]
        told = [json.loads(line.removeprefix("data: ")) for line in lines]
        assert [event["text"] for event in told] == ["one", "one two", "one two"]
        assert [event["delta"] for event in told] == ["one", " two", ""]
        assert told[-1]["done"] is True

        async with http.stream("POST", path, json={"prompt": "a story"}) as response:
            first = await anext(response.aiter_lines())
            assert json.loads(first.removeprefix("data: "))["text"] == "for "
    async with asyncio.timeout(PATIENCE_S):
        await old.planner.left.wait()


async def test_texts_stream_over_a_websocket_of_the_old_port(old: Old) -> None:
    async with connect(f"ws://{old.auraos}/generate/stream") as stream:
        await stream.send(json.dumps({"prompt": "hello there"}))
        frames = [json.loads(await stream.recv()) for _ in range(3)]
    assert [frame["type"] for frame in frames] == ["delta", "delta", "done"]
    assert frames[-1]["response"] == "hello there"


async def test_an_engine_that_cannot_be_held_to_a_form_says_so(old: Old) -> None:
    asked = {"prompt": "a number", "guided_decoding": {"type": "regex", "pattern": "[0-9]+"}}
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        answer = await http.post(f"http://{old.fictures}/api/v1/text/structured", json=asked)
    assert answer.status_code == 501
    assert "cannot hold a text to a regex" in answer.json()["detail"]


async def test_an_unknown_model_is_a_404_of_the_familys_shape(old: Old) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        asked = {"prompt": "hi", "model": "no-such-model"}
        answer = await http.post(f"http://{old.auraos}/generate", json=asked)
        assert (answer.status_code, answer.json()["status"]) == (404, "error")
        asked["model"] = "llava:13b"
        assert (await http.post(f"http://{old.auraos}/generate", json=asked)).status_code == 200


async def test_the_save_button_of_a_real_screenshot_is_found_where_it_is(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="robot-hub[vision] is not installed")
    tools = Tools(OcrReader(1), ColourBalls())
    for tool in tools:
        await tool.start()
    eyes, screen = EmbeddedModel(*tools), dialog()
    vision = Agent(eyes, (Chats(eyes), Ground(tools.reader)), capacity=4)
    picture = base64.b64encode(screen.png).decode()
    try:
        async with (
            running(tmp_path, others=[("vision-primary", vision)]) as stack,
            httpx.AsyncClient(base_url=stack.url, timeout=60) as http,
        ):
            asked = {"prompt": "click the Save button", "image": picture}
            found = (await http.post("/auraos/ask", json=asked)).json()
            asked["prompt"] = "click the Explode button"
            missing = (await http.post("/auraos/ask", json=asked)).json()
            looked = {"query": "what is on the screen?", "images": [picture]}
            seen = (await http.post("/auraos/ask", json=looked)).json()
    finally:
        for tool in tools:
            await tool.close()

    x, y = screen.centres["Save"]
    assert found["action"] == "click"
    assert abs(found["x"] - x) <= 12
    assert abs(found["y"] - y) <= 8
    assert found["confidence"] > 0.5
    assert found["image"] == {"index": 0, "width": 1280, "height": 800}
    assert (found["backend"], found["status"]) == ("embedded", "success")
    assert (missing["action"], missing["confidence"]) == ("none", 0)
    assert "Save" in seen["response"]
