"""``WS /ai/stream`` through the whole hub: what the planner is told, and what nobody keeps."""

import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from agents.tts.backends.scripted import ScriptedVoice
from tests.integration.stack import PATIENCE_S, Remembering, Stack, running

SWIFT = ScriptedVoice(word_ms=20)


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of ``kind``."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = await socket.recv()
            if isinstance(frame, str) and (message := json.loads(frame))["type"] == kind:
                return dict(message)


async def say(socket: ClientConnection, text: str) -> dict[str, Any]:
    """Type something and be answered."""
    await socket.send(json.dumps({"type": "text", "text": text}))
    return await until(socket, "done")


async def begin(hub: Stack, **start: Any) -> ClientConnection:
    socket = await connect(hub.ws("/ai/stream"), compression=None)
    await socket.send(json.dumps({"type": "start", **start}))
    await until(socket, "ready")
    return socket


async def test_a_conversation_goes_on_and_is_forgotten_with_its_connection(tmp_path: Path) -> None:
    planner = Remembering()
    async with running(tmp_path, planner=planner, voice=SWIFT) as hub:
        socket = await begin(hub, config={"system_prompt": "You sell shoes."}, language="de")
        assert (await say(socket, "my name is Ada"))["outcome"] == "done"
        assert (await say(socket, "who am I"))["heardText"] == "who am I."
        first, second = planner.asked
        assert first.profile == {"instructions": "You sell shoes."}
        assert (first.language, first.gestures, first.skills) == ("de", (), ())
        assert [past.user for past in second.history] == ["my name is Ada"]
        await socket.close()

        async with hub.http() as http:
            async with asyncio.timeout(PATIENCE_S):
                while (await http.get("/status")).json()["robots"]:
                    pass
        socket = await begin(hub)
        await say(socket, "and now")
        assert planner.asked[-1].history == ()
        assert planner.asked[-1].profile == {}
        async with hub.http() as http:
            assert (await http.get("/status")).json()["robots"] == ["ai.1"]
        await socket.close()
