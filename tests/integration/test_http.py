"""What programs get of the hub over HTTP, from its agents."""

import asyncio
from pathlib import Path

from agents.planner.backends.scripted import ScriptedPlanner
from agents.tts.backends.scripted import ScriptedVoice
from tests.integration.stack import WORD_MS, Stack, running

WORD_BYTES = 32 * WORD_MS
WORLD = {
    "robot_id": "r1", "seq": 7, "monotonic_ts_ms": 1234, "mode": "IDLE", "battery_mv": 7400,
    "range_mm": 500,
}  # fmt: skip


async def test_tts_streams_what_it_answers_whole(hub: Stack) -> None:
    async with hub.http() as http:
        text = {"text": "one two three"}
        async with http.stream("POST", "/tts", json=text) as answer:
            streamed = [chunk async for chunk in answer.aiter_raw()]
        whole = await http.post("/tts", json={**text, "stream": False})

    assert (answer.status_code, whole.status_code) == (200, 200)
    for one in (answer, whole):
        assert one.headers["content-type"] == "application/octet-stream"
        assert one.headers["x-audio-sample-rate"] == "16000"
        assert one.headers["x-audio-channels"] == "1"
    assert "content-length" not in answer.headers
    assert b"".join(streamed) == whole.content
    assert len(whole.content) == 3 * WORD_BYTES


async def test_a_client_that_leaves_a_stream_ends_its_job(tmp_path: Path) -> None:
    gate = asyncio.Event()
    spoken = asyncio.Event()

    async def one_word(_: float) -> None:
        if spoken.is_set():
            await gate.wait()
        spoken.set()

    voice = ScriptedVoice(pause_s=1.0, sleep=one_word)
    async with running(tmp_path, voice=voice) as hub, hub.http() as http:
        async with http.stream("POST", "/tts", json={"text": "one two three"}) as answer:
            assert len(await anext(answer.aiter_raw())) > 0
        whole = http.post("/tts", json={"text": "", "stream": False})
        assert (await whole).status_code == 400
        async with asyncio.timeout(5):
            while voice.closed < voice.opened:
                await http.get("/livez")
    assert (voice.opened, voice.closed) == (1, 1)


async def test_a_plan_holds_what_a_robot_may_do_and_nothing_else(tmp_path: Path) -> None:
    planner = ScriptedPlanner(
        plan='{"actions": [{"action": "emote", "name": "happy", "intensity": 9},'
        ' {"action": "launch", "name": "missiles"}, {"action": "gesture", "name": "nod"},'
        ' {"action": "say", "text": "hi"}], "ttl_ms": 99999}'
    )
    async with running(tmp_path, planner=planner) as hub, hub.http() as http:
        answer = await http.post("/plan", json=WORLD)

    plan = answer.json()
    assert answer.status_code == 200
    assert plan["actions"] == [
        {"action": "emote", "name": "happy", "intensity": 1.0},
        {"action": "gesture", "name": "nod", "params": {}},
        {"action": "say", "text": "hi"},
    ]
    assert (plan["robot_id"], plan["seq"], plan["monotonic_ts_ms"]) == ("r1", 7, 1234)
    assert plan["ttl_ms"] == 5000
    assert len(plan["plan_id"]) == 32


async def test_health_tells_of_every_agent_and_of_a_planner_that_is_gone(hub: Stack) -> None:
    async with hub.robot(), hub.http() as http:
        well = await http.get("/health")
        await hub.kill("planner-primary")
        await hub.kill("tts-primary")
        ill = await http.get("/health")
        ready = await http.get("/readyz")
        planless = await http.post("/plan", json=WORLD)
        speechless = await http.post("/tts", json={"text": "hello"})

    assert (well.status_code, well.json()["status"]) == (200, "ok")
    assert well.json()["converse_sessions"]["robots"] == ["r1"]
    assert {a["state"] for a in well.json()["agents"].values()} == {"ready"}
    assert (ill.status_code, ill.json()["status"]) == (503, "degraded")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert (planless.status_code, planless.json()["error"]) == (502, "llm_unreachable")
    assert (speechless.status_code, speechless.json()["detail"]) == (503, "tts_unavailable")
