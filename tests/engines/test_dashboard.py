"""The dashboard in a real browser, against a real hub with scripted agents."""

import gzip
import re
import shutil
import subprocess
import wave
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.life import Agent
from agents.vision.sight import Sight
from hub.edge.page_routes import BUILT
from hub.store import tokens
from hub.store.schema import connect
from hub.store.tokens import Scope
from protocols.messages.robot import TurnEnd
from protocols.messages.session import Attention
from protocols.messages.speech import SpeechPlayed
from robot_sim.body import Standing
from robot_sim.camera import RollingBall, Shot
from robot_sim.proxy import FaultProxy
from robot_sim.robot import RobotOptions, SimulatedRobot
from tests.e2e import processes
from tests.engines.page import ATTACK, browsing, shoot, stopped
from tests.integration.stack import running, spoken
from tests.recordings import demo_recording

pytestmark = pytest.mark.engine

PAGE = BUILT.parent

_DRAWN = """(half) => {
  const place = document.querySelector(".waveform");
  const [wide, high] = [place.width, place.height / 2];
  const pixels = place.getContext("2d").getImageData(0, half === "upper" ? 0 : high + 2, wide, high - 3).data;
  let drawn = 0;
  for (let at = 3; at < pixels.length; at += 4) drawn += pixels[at] > 0;
  return drawn;
}"""
_FOCUSED = "document.activeElement.textContent"
_UNREACHABLE = """() => [...document.querySelectorAll("[onclick], canvas, li, td, span, p")]
  .filter((each) => getComputedStyle(each).cursor === "pointer" && !each.closest("a, button, label, summary"))
  .map((each) => each.outerHTML.slice(0, 80))"""
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


async def test_one_types_and_hears_and_stops_the_answer(tmp_path: Path) -> None:
    planner = ScriptedPlanner([Script(LONG), Script(("Yes?",))])
    async with running(tmp_path, planner=planner) as hub, browsing() as browser:
        hub.observe(SpeechPlayed)
        page = await browser.page(f"{hub.url}/#/talk")
        await page.get_by_label("Type, and hear the answer").check()
        await page.get_by_role("button", name="Connect").click()
        await page.get_by_label("What you say").fill("tell me a story")
        await page.get_by_role("button", name="Say", exact=True).click()
        await page.locator(".bubble.said", has_text="sentence number 2").wait_for()
        await shoot(page, "talk")
        await hub.fact(SpeechPlayed, lambda played: played.words > 0)
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


async def test_sound_is_drawn_and_a_stretch_of_time_is_looked_at_closely(tmp_path: Path) -> None:
    planner = ScriptedPlanner([Script(("Nice to meet you. ", "What shall we do?"))])
    async with running(tmp_path, planner=planner) as hub, browsing() as browser:
        page = await browser.page(f"{hub.url}/#/robot/r1")
        await page.get_by_text("live", exact=True).wait_for()
        async with hub.robot("r1") as robot:
            robot.say(spoken("hello little robot", ms=600))
            await page.locator(".chip.done").first.wait_for()
            assert await page.evaluate(_DRAWN, "upper") > 0
            assert await page.evaluate(_DRAWN, "lower") > 0
            await shoot(page, "robot-sound")
            await page.get_by_role("button", name="Hold still").click()
            count = page.locator(".tools .quiet", has_text=" of ").last
            everything = await count.inner_text()
            strip = page.locator(".overview canvas")
            box = await strip.bounding_box()
            await page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 10)
            await page.mouse.down()
            await page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 12, steps=4)
            await page.mouse.up()
            await page.get_by_role("button", name="All of it").wait_for()
            assert int((await count.inner_text()).split()[0]) < int(everything.split()[0])
            await shoot(page, "robot-zoomed")
            await page.get_by_role("button", name="All of it").click()
            assert await count.inner_text() == everything
            await page.get_by_role("button", name="Closer").press("Enter")
            assert await page.get_by_role("button", name="Earlier").is_enabled()
            await strip.dblclick(position={"x": 3, "y": 3})
            assert await count.inner_text() == everything
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_a_robot_s_trouble_is_a_screen_over_its_face(tmp_path: Path) -> None:
    """By what a robot tells of its body, and by how its hub takes leave."""
    async with running(tmp_path) as hub, browsing() as browser:
        page = await browser.page(hub.url)
        await page.get_by_text("live", exact=True).wait_for()
        async with hub.robot("r1") as robot:
            tile = page.locator(".tile", has_text="r1")
            for world, screen in (
                ({"power": {"soc_pct": 7}}, "low_battery"),
                ({"faults": ["STALL"]}, "error"),
                ({"mode": "UPDATING"}, "updating"),
                ({"mode": "BOOT"}, "booting"),
            ):
                robot.body = Troubled(world)
                robot.supervisor.body = robot.body
                await tile.locator(f"canvas[data-screen={screen}]").wait_for()
                await shoot(page, f"face-{screen}")
        assert browser.complaints == []


async def test_how_a_robot_listens_is_shown_and_chosen(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, browsing() as browser, hub.robot("r1") as robot:
        page = await browser.page(f"{hub.url}/#/robot/r1")
        await page.get_by_text("It listens, and nobody speaks.").wait_for()
        await page.get_by_role("button", name="Mute", exact=True).click()
        await page.get_by_text("It is muted, and hears nothing.").wait_for()
        await page.get_by_role("button", name="Unmute").click()
        await page.get_by_label("Let it listen").select_option("push_to_talk")
        await page.get_by_text("It waits for its button.").wait_for()
        robot.listen(Attention.PUSH_TO_TALK, held=True)
        await page.get_by_text("push to talk, button held").wait_for()
        await shoot(page, "robot-attention")
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_what_a_camera_sees_is_shown_with_what_is_found_in_it(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="OpenCV finds the balls; install robot-hub[vision]")
    from agents.vision.backends.balls import ColourBalls

    balls = ColourBalls()
    eyes = Agent(balls, (Sight(balls),), capacity=2)
    sight = RobotOptions(sees=Still(), fps=5.0)
    async with (
        running(tmp_path, others=[("vision-primary", eyes)], hub_camera_consent=("r1",)) as hub,
        browsing() as browser,
        SimulatedRobot(hub.url, "r1", sight),
    ):
        page = await browser.page(f"{hub.url}/#/robot/r1")
        circle = page.locator(".camera svg circle")
        await circle.wait_for()
        await page.get_by_text("red ball").wait_for()
        width = await page.locator(".camera img").evaluate("(image) => image.naturalWidth")
        x, _ = Still.scene.centre(1.0)
        assert width == Still.scene.width
        assert abs(float(await circle.get_attribute("cx")) - x) < 4
        await shoot(page, "robot-camera")
        assert await stopped(page) == []
        assert browser.complaints == []


async def test_a_browser_that_loses_its_connection_goes_on_where_it_was(tmp_path: Path) -> None:
    planner = ScriptedPlanner([Script(LONG[:4])])
    async with running(tmp_path, planner=planner) as hub, browsing() as browser:
        async with FaultProxy(int(hub.url.rpartition(":")[2])) as network:
            page = await browser.page(f"{network.url}/#/talk")
            await page.get_by_label("Type, and hear the answer").check()
            await page.get_by_role("button", name="Connect").click()
            await page.get_by_label("What you say").fill("tell me a story")
            await page.get_by_role("button", name="Say", exact=True).click()
            await page.locator(".bubble.said", has_text="sentence number 2").wait_for()
            network.accepting = False
            network.cut()
            await page.get_by_text("The connection was lost").wait_for()
            await shoot(page, "talk-lost")
            network.accepting = True
            await page.locator("li[data-outcome=done]").wait_for()
            assert await page.locator(".unheard").inner_text() == ""
            assert "number 4" in await page.locator("li[data-outcome=done] .heard").inner_text()
            assert await page.locator("li[data-turn]").count() == 1
        async with hub.http() as http:
            counters = (await http.get("/status")).json()["counters"]
        assert counters["sessions_resumed"] >= 1


async def test_the_page_is_used_without_a_mouse(tmp_path: Path) -> None:
    """From the first key on there is something to be seen of where one is."""
    async with running(tmp_path) as hub, browsing() as browser, hub.robot("r1"):
        page = await browser.page(hub.url)
        await page.locator(".tile").wait_for()
        await page.keyboard.press("Tab")
        assert await page.evaluate(_FOCUSED) == "To the page"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Robots / r1").wait_for()
        for path in ("robots", "robot/r1", "talk", "system"):
            await page.goto(f"{hub.url}/#/{path}")
            await page.get_by_role("heading", level=1).wait_for()
            await page.wait_for_load_state("networkidle")
            hidden = await page.evaluate(_UNREACHABLE)
            assert hidden == [], path
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


async def test_the_first_view_is_small_as_it_is_served(tmp_path: Path) -> None:
    """Everything that a browser is sent before anything is done on the page, not even packed."""
    async with running(tmp_path) as hub, browsing() as browser:
        page, sent = await browser.page("about:blank"), list[tuple[str, int]]()

        async def weigh(response: Any) -> None:
            sent.append((response.url, len(await response.body())))

        page.on("response", weigh)
        await page.goto(hub.url)
        await page.get_by_text("live", exact=True).wait_for()
        await page.wait_for_load_state("networkidle")
        assert len(sent) >= 3
        assert sum(size for _, size in sent) < 150_000, sent


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


class Still:
    """A ball to the right of a robot, for ever."""

    scene = RollingBall()
    camera = scene.camera

    def shoot(self, at_s: float) -> Shot:
        return self.scene.shoot(1.0)


class Troubled(Standing):
    """A body that tells of itself what a test wants it to."""

    def __init__(self, world: dict[str, Any]) -> None:
        super().__init__("r1")
        self._world = world

    def state(self, now_ns: int, *, talking: bool, listening: bool) -> dict[str, Any]:
        return super().state(now_ns, talking=talking, listening=listening) | self._world


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
