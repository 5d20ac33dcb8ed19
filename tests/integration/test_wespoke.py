"""``/ai`` through the whole hub: whom a model's name leads to, and what a client's leaving ends."""

import asyncio
from pathlib import Path

from agents.planner.agent import Chats
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.life import Agent, Loaded
from tests.integration.stack import PATIENCE_S, running

CONFIG = {"system_prompt": "Be brief.", "model": "big"}


async def test_a_client_that_leaves_stops_the_engine_that_its_model_named(tmp_path: Path) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def stuck(_: float) -> None:
        begun.set()
        await never.wait()

    planner = ScriptedPlanner([Script(("too late",), pause_s=1.0)], sleep=stuck, model="big")
    agent = Agent(planner, [Chats(planner)], capacity=2, loaded=lambda: Loaded(2, "big"))
    async with running(tmp_path, others=[("planner-big", agent)]) as hub, hub.http() as http:
        async with asyncio.TaskGroup() as tasks:
            body = {"text": "hello", "config": CONFIG}
            asked = tasks.create_task(http.post("/ai/generate", json=body))
            async with asyncio.timeout(PATIENCE_S):
                await begun.wait()
            asked.cancel()
        async with asyncio.timeout(PATIENCE_S):
            while planner.closed == 0:
                await http.get("/livez")
        jobs = (await http.get("/jobs")).json()["jobs"]
        assert [job["state"] for job in jobs] == ["cancelled"]
        answer = await http.post("/ai/generate", json={"text": "hello again", "config": CONFIG})
        assert answer.json()["text"] == "hello again"


async def test_a_name_that_leads_to_nobody_is_not_found(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.http() as http:
        answer = await http.post("/ai/generate", json={"text": "hello", "config": CONFIG})
        assert answer.status_code == 404
        assert answer.json()["detail"]["details"]["code"] == "no_such_model"
