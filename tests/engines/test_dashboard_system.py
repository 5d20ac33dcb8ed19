"""The dashboard's page of the hub itself, in a real browser against a real hub: who may come in, what
agents and jobs do, what is written down."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from agents.image_gen.agent import Pictures
from agents.image_gen.backends.scripted import ScriptedPainter
from agents.image_gen.limits import Limits
from agents.planner.backends.base import Planner
from agents.planner.backends.scripted import ScriptedPlanner
from agents.runtime.latch import Latch
from agents.runtime.life import Agent
from agents.runtime.slot import EngineSlot
from tests.e2e import processes
from tests.engines.page import ATTACK, browsing, shoot, stopped
from tests.fakes.engines import slot_of
from tests.integration.stack import running, stuck_planner

pytestmark = pytest.mark.engine


async def test_a_robot_is_let_in_from_the_page(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, browsing() as browser, hub.http() as http:
        (await http.post("/pairing", json={"robot_id": "new-robot"})).raise_for_status()
        page = await browser.page(f"{hub.url}/#/system")
        await page.get_by_role("button", name="Let in").click()
        await page.get_by_text("new-robot has been let in").wait_for()


async def test_a_job_is_cancelled_from_the_page(tmp_path: Path) -> None:
    async with (
        running(tmp_path, planner=stuck_planner()) as hub,
        browsing() as browser,
        hub.http() as http,
        asyncio.TaskGroup() as tasks,
    ):
        question = {"model": "scripted", "messages": [{"role": "user", "content": "why?"}]}
        asked = tasks.create_task(http.post("/v1/chat/completions", json=question))
        page = await browser.page(f"{hub.url}/#/system")
        row = page.locator("tr[data-job]", has_text="running")
        await shoot(page, "system")
        await row.get_by_role("button", name="Cancel").click()
        await page.locator(".chip.cancelled").wait_for()
        assert (await asked).status_code >= 400
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_an_agent_that_dies_and_comes_back_is_shown(tmp_path: Path) -> None:
    async with processes.running(tmp_path, processes.SCRIPTED) as hub, browsing() as browser:
        await hub.ready()
        page = await browser.page(f"{hub.url}/#/system")
        voice = page.locator("[data-agent=tts-primary]")
        await voice.locator(".chip.ready").first.wait_for()
        (pid,) = await hub.pids_of("tts-primary")
        os.kill(pid, signal.SIGKILL)
        await voice.get_by_text("started anew 1").wait_for()
        await voice.locator(".chip.ready").first.wait_for()
        lost = page.locator(".log li", has_text="agent lost")
        await lost.get_by_text("agent=tts-primary").wait_for()
        await shoot(page, "system-log")
        assert browser.complaints == []


async def test_tokens_are_made_shown_once_and_revoked(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, browsing() as browser:
        page = await browser.page(f"{hub.url}/#/system")
        form = page.get_by_role("form", name="New token")
        await form.get_by_label("Scope").select_option("admin")
        await form.get_by_role("button", name="Make a token").click()
        secret = await page.locator("[data-secret]").inner_text()
        await page.get_by_role("heading", name="A token is needed").wait_for()
        browser.complaints.clear()  # nobody may do anything without a token now
        await page.get_by_label("Token").fill(secret)
        await page.get_by_role("button", name="Sign in").click()
        await form.get_by_label("Its robot").fill("kitchen-robot")
        await form.get_by_label("Label").fill(ATTACK)
        await form.get_by_role("button", name="Make a token").click()
        row = page.locator("tr[data-token]", has_text="kitchen-robot")
        await row.get_by_text(ATTACK).wait_for()
        await page.locator("[data-secret]").wait_for()
        await page.locator("[data-secret]").scroll_into_view_if_needed()
        await shoot(page, "system-tokens")
        await page.get_by_role("button", name="I have it").click()
        assert await page.locator("[data-secret]").count() == 0
        await row.get_by_role("button", name="Revoke").click()
        await row.get_by_role("button", name="Really revoke").click()
        await row.wait_for(state="detached")
        assert await page.locator("tr[data-token]").count() == 1
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_recordings_are_listed_and_downloaded(tmp_path: Path) -> None:
    kept = tmp_path / "traces" / "hub-000001.mcap"
    kept.parent.mkdir()
    kept.write_bytes(b"\x89MCAP0\r\n" * 50_000)
    async with running(tmp_path, hub_trace="1") as hub, browsing() as browser:
        page = await browser.page(f"{hub.url}/#/system")
        row = page.locator("tr", has_text="hub-000001.mcap")
        await row.get_by_text("391 KiB").wait_for()
        async with page.expect_download() as download:
            await row.get_by_role("button", name="Download").click()
        got = await (await download.value).path()
        assert got.read_bytes() == kept.read_bytes()
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_a_job_that_tells_how_far_it_is_is_cancelled(tmp_path: Path) -> None:
    latch = Latch()
    painter = ScriptedPainter(latch, model="tiny", step_s=0.3)
    painting = Agent(painter, (Pictures(painter, Limits()),), capacity=1, latch=latch)
    async with (
        running(tmp_path, others=[("image_gen-primary", painting)]) as hub,
        browsing() as browser,
        hub.http() as http,
        asyncio.TaskGroup() as tasks,
    ):
        page = await browser.page(f"{hub.url}/#/system")
        await page.get_by_text("image_gen").first.wait_for()
        wish = {"prompt": "a red ball", "size": "256x256"}
        asked = tasks.create_task(http.post("/v1/images/generations", json=wish, timeout=60))
        row = page.locator("tr[data-job]", has_text="running")
        bar = row.get_by_role("progressbar")
        await bar.wait_for()
        before = await bar.get_attribute("value")
        await page.wait_for_function(
            "(before) => document.querySelector('tr[data-job] progress')?.value > before",
            arg=float(before),
        )
        await shoot(page, "system-job")
        await row.get_by_role("button", name="Cancel").click()
        await page.locator(".chip.cancelled").wait_for()
        assert (await asked).status_code >= 400
        assert browser.complaints == []


async def test_a_model_is_unloaded_loaded_and_switched(tmp_path: Path) -> None:
    slot: EngineSlot[Planner] = slot_of(lambda model: ScriptedPlanner(model=model))
    async with running(tmp_path, planner=slot) as hub, browsing() as browser:
        page = await browser.page(f"{hub.url}/#/system")
        planner = page.locator("[data-agent=planner-primary]")
        await planner.get_by_text("model ready").wait_for()
        await planner.get_by_role("button", name="Unload").click()
        await planner.get_by_text("model unloaded").wait_for()
        await planner.get_by_label("Model").fill("one")
        await planner.get_by_role("button", name="Load", exact=True).click()
        await planner.get_by_text("scripted · one").wait_for()
        await planner.get_by_label("Model").fill("two")
        await planner.get_by_role("button", name="Switch").click()
        await planner.get_by_text("scripted · two").wait_for()
        await shoot(page, "system-models")
        assert await stopped(page) == []
        assert browser.complaints == []
