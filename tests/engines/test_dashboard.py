"""The dashboard in a real browser, against a real hub with scripted agents."""

import asyncio
import gzip
import os
import re
import shutil
import signal
import subprocess
import wave
from contextlib import closing
from pathlib import Path

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner
from hub.edge.page_routes import BUILT
from hub.store import tokens
from hub.store.schema import connect
from hub.store.tokens import Scope
from protocols.messages.robot import TurnEnd
from tests.e2e import processes
from tests.engines.page import browsing, shoot, stopped
from tests.integration.stack import running, spoken, stuck_planner
from tests.recordings import demo_recording

pytestmark = pytest.mark.engine

PAGE = BUILT.parent

ATTACK = "<img src=x onerror=\"alert('heard')\"><script>alert('script')</script>"
LONG = tuple(f"This is sentence number {n} of a long story. " for n in range(1, 13))


async def test_a_conversation_is_shown_while_it_is_held(tmp_path: Path) -> None:
    planner = ScriptedPlanner([Script(("Nice to meet you. ", "What shall we do?"))])
    async with running(tmp_path, planner=planner) as hub, browsing() as browser:
        page = await browser.page(hub.url)
        await page.get_by_text("No robot has been here yet").wait_for()
        async with hub.robot("kitchen-robot") as robot:
            await page.get_by_role("link", name="kitchen-robot").click()
            robot.say(spoken("hello little robot"))
            await page.locator(".bubble.user", has_text="hello little robot").first.wait_for()
            await page.locator(".heard", has_text="Nice to meet you. What shall we do?").wait_for()
            await page.locator(".chip.done").first.wait_for()
            await page.locator(".waterfall td.number").first.wait_for()
            shares = await page.locator(".waterfall .number").all_inner_texts()
            total = await page.locator(".waterfall strong").first.inner_text()
            assert sum(float(s.split()[0]) for s in shares) == pytest.approx(
                float(total.split()[0]), abs=0.5
            )
            await page.get_by_label("Filter").fill("turn.ended")
            await page.get_by_role("button", name="turn.ended").last.click()
            await page.get_by_text('"outcome": "done"').wait_for()
            await shoot(page, "robot")
            await page.goto(f"{hub.url}/#/robots")
            await page.get_by_text("It listens, and nobody speaks").wait_for()
            await shoot(page, "robots")
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_words_that_look_like_markup_stay_words(tmp_path: Path) -> None:
    planner = ScriptedPlanner([Script((f"I say {ATTACK} to you.",))])
    async with running(tmp_path, planner=planner) as hub, browsing() as browser:
        page = await browser.page(f"{hub.url}/#/robot/r1")
        await page.get_by_text("live", exact=True).wait_for()
        async with hub.robot("r1", client=ATTACK) as robot:
            await page.get_by_text(ATTACK).first.wait_for()
            robot.write(f"hello {ATTACK}")
            await page.locator(".bubble.user", has_text=f"hello {ATTACK}").wait_for()
            await page.locator(".chip.done").first.wait_for()
            await page.goto(f"{hub.url}/#/robot/%3Cscript%3Ealert(1)%3C/script%3E")
            await page.get_by_role("heading", name="Robots").wait_for()
        assert await page.locator("img, script:not([src])").count() == 0
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_actions_are_shown_with_their_fate(tmp_path: Path) -> None:
    act = '{"emotion": "happy", "text": "Here I go.", "actions": [{"action": "skill", "name": "patrol_drift"}]}'
    async with (
        running(tmp_path, planner=ScriptedPlanner([Script((act,))])) as hub,
        browsing() as browser,
    ):
        page = await browser.page(f"{hub.url}/#/robot/r1")
        await page.get_by_text("live", exact=True).wait_for()
        async with hub.robot("r1") as robot:
            robot.write("drive around")
            row = page.locator("tr", has_text="skill patrol_drift")
            await row.locator(".chip.done").wait_for()
            await row.get_by_text("2000 ms").wait_for()
            await page.get_by_label("Filter").fill("action.requested")
            await page.get_by_role("button", name="action.requested").first.click()
            chosen = page.get_by_role("region", name="The chosen event")
            await chosen.get_by_text("Because of").wait_for()
            await chosen.get_by_role("button", name="response.done").wait_for()
            await shoot(page, "robot-action")
        assert browser.complaints == []


async def test_a_robot_is_let_in_from_the_page(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, browsing() as browser, hub.http() as http:
        (await http.post("/pairing", json={"robot_id": "new-robot"})).raise_for_status()
        page = await browser.page(f"{hub.url}/#/system")
        await page.get_by_role("button", name="Let in").click()
        await page.get_by_text("new-robot has been let in").wait_for()


async def test_who_has_a_token_signs_in_with_it(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, browsing() as browser:
        with closing(connect(tmp_path)) as db:
            watches = tokens.create(db, tokens.ANY_ROBOT, "watches", scope=Scope.OBSERVER)
        page = await browser.page(hub.url)
        await page.get_by_role("heading", name="A token is needed").wait_for()
        await shoot(page, "login")
        browser.complaints.clear()  # the refusal that led here is one to a browser
        await page.get_by_label("Token").fill("rh_00000000_wrong")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_text("is not known here").wait_for()
        browser.complaints.clear()
        await page.get_by_label("Token").fill(watches)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_text("live").wait_for()
        await page.get_by_text("Words are hidden: this token may not hear").wait_for()
        assert watches not in page.url
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("heading", name="A token is needed").wait_for()
        assert await stopped(page) == []
        assert browser.complaints == []


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
        assert browser.complaints == []


async def test_one_types_and_hears_and_stops_the_answer(tmp_path: Path) -> None:
    planner = ScriptedPlanner([Script(LONG), Script(("Yes?",))])
    async with running(tmp_path, planner=planner) as hub, browsing() as browser:
        page = await browser.page(f"{hub.url}/#/talk")
        await page.get_by_label("Type, and hear the answer").check()
        await page.get_by_role("button", name="Connect").click()
        await page.get_by_label("What you say").fill("tell me a story")
        await page.get_by_role("button", name="Say", exact=True).click()
        await page.locator(".bubble.said", has_text="sentence number 2").wait_for()
        await shoot(page, "talk")
        await page.get_by_role("button", name="Stop speaking").click()
        await page.locator("li[data-outcome=cancelled]").wait_for()
        await page.get_by_text("Stopped after").wait_for()
        heard = await page.locator("li[data-outcome=cancelled] .heard").inner_text()
        unheard = await page.locator("li[data-outcome=cancelled] .unheard").inner_text()
        assert heard
        assert LONG[0].startswith(heard) or heard.startswith(LONG[0].strip())
        assert "number 12" in unheard
        await page.get_by_label("What you say").fill("hello again")
        await page.get_by_role("button", name="Say", exact=True).click()
        await page.locator("li[data-outcome=done] .heard", has_text="Yes?").wait_for()
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_one_interrupts_by_the_voice_in_the_browser_s_microphone(tmp_path: Path) -> None:
    """Real ears, recogniser and voice: a story is asked for, and three seconds into it something
    else."""
    story, ball = demo_recording("long_story.wav").path, demo_recording("find_the_ball.wav").path
    sound = tmp_path / "microphone.wav"
    _join(sound, (2.5, story), (8.0, ball), (30.0, None))
    microphone = f"--use-file-for-fake-audio-capture={sound}%noloop"
    async with (
        processes.running(tmp_path, {**processes.EMBEDDED, "TTS_RATE_WPM": "160"}) as hub,
        browsing(microphone) as browser,
    ):
        await hub.ready()
        page = await browser.page(f"{hub.url}/#/talk")
        await page.get_by_role("button", name="Connect").click()
        page.set_default_timeout(40_000)
        await page.locator("li[data-outcome=interrupted]").first.wait_for()
        await page.get_by_text("the user spoke into it").first.wait_for()
        await shoot(page, "talk-interrupted")
        await page.get_by_role("link", name="What the hub sees of it").click()
        await page.locator(".chip.interrupted").first.wait_for()
        await page.locator(".waterfall strong").first.wait_for()
        await shoot(page, "robot-interrupted")
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_every_page_fits_a_phone_and_the_dark(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, browsing() as browser, hub.robot("r1") as robot:
        robot.write("hello there")
        await robot.next(TurnEnd)
        page = await browser.page(hub.url, width=360, height=740, dark=True)
        for name, path in (
            ("robots", ""),
            ("robot", "robot/r1"),
            ("talk", "talk"),
            ("system", "system"),
        ):
            await page.goto(f"{hub.url}/#/{path}")
            await page.get_by_text("live").wait_for()
            await page.get_by_role("heading", level=1).wait_for()
            await page.wait_for_load_state("networkidle")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            await shoot(page, f"phone-{name}")
            assert wide <= 360, name
        assert browser.complaints == []


def test_the_first_view_is_small() -> None:
    """What a page loads before anything is done on it, packed as a proxy would."""
    html = BUILT / "index.html"
    if not html.exists():
        pytest.skip("the page is not built: scripts/build_page.sh")
    loaded = re.findall(r'(?:src|href)="\./(dashboard/[^"]+)"', html.read_text())
    assert len(loaded) == 2
    files = [html, *(BUILT / name for name in loaded)]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 150_000


def test_the_page_s_pure_modules() -> None:
    """Their own tests, by Node.js."""
    npm = shutil.which("npm")
    if npm is None or not (PAGE / "node_modules").is_dir():
        pytest.skip("no npm, or the page was not built here")
    done = subprocess.run([npm, "test"], cwd=PAGE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def _join(path: Path, *parts: tuple[float, Path | None]) -> None:
    """Write recordings one after the other, each after so many seconds of silence."""
    with wave.open(str(path), "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(16_000)
        for silence_s, recording in parts:
            sink.writeframes(bytes(2 * round(silence_s * 16_000)))
            if recording is not None:
                with wave.open(str(recording), "rb") as source:
                    assert source.getframerate() == 16_000
                    sink.writeframes(source.readframes(source.getnframes()))
