"""The demo: a simulated robot and its user converse through a running hub, and are judged.

It knows the hub by its wire alone: ``GET /readyz``, ``WS /robot``, and ``WS /observe`` for what the
robot feels.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from protocols.messages.session import Attention, EchoCanceller
from robot_sim.camera import WORLD, PictureSource, WorldCamera, source_of
from robot_sim.conversation import Conversation, Now
from robot_sim.demo_options import DemoOptions
from robot_sim.devices import Devices
from robot_sim.errors import HubNotReady, RobotError
from robot_sim.events import Happening
from robot_sim.keyboard import Keyboard
from robot_sim.microphone import DEFAULT_NOISE_DBFS, Spoken
from robot_sim.onlooker import Onlooker
from robot_sim.plugged_face import PluggedFace
from robot_sim.readiness import wait_until_ready
from robot_sim.robot import RobotOptions, SimulatedRobot, simulator_hello
from robot_sim.scenario import Scenario, Utterance, load
from robot_sim.screen import Screen
from robot_sim.spectator import Spectator
from robot_sim.verdict import Verdict, judge, unmet
from robot_sim.wav import read_pcm, write_wav
from robot_sim.world import World, in_view

OK, FAILED, CANNOT = 0, 1, 2
_LOOK_EVERY_S = 0.05
_WITHOUT_HUB_S = 30.0
"""How long the demo waits for a hub that is away; it comes back from a crash in a few seconds."""
_SETTLES_S = 2.0
"""How long after the last word the face may take to show what is felt."""
_WAV_PAUSE_S = 3.0
_WIDTH_OF_LOGS = 120
_NO_NOISE_DBFS = -120.0


def run_demo(options: DemoOptions) -> int:
    """Hold the conversation that ``options`` ask for; 0 if all went as it should, 1 if not, 2 if
    it could not be held."""
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_OF_LOGS)
    try:
        return asyncio.run(_run(options, console))
    except RobotError as error:
        Console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        return CANNOT
    except KeyboardInterrupt:
        return OK if options.live or options.mic or options.text else FAILED


class _Tapes:
    """What the robot heard and said, kept only where it is to be saved."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._heard = bytearray()
        self._said = bytearray()

    def hear(self, pcm: bytes) -> None:
        if self._folder is not None:
            self._heard += pcm

    def say(self, pcm: bytes) -> None:
        if self._folder is not None:
            self._said += pcm

    def save(self) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_wav(self._folder / "heard.wav", bytes(self._heard))
            write_wav(self._folder / "said.wav", bytes(self._said))


async def _run(options: DemoOptions, console: Console) -> int:
    scenario = _scenario(options)
    world = World(options.robot, in_view())
    sees = _camera(options, world)
    with ExitStack() as stack:
        tapes = _Tapes(options.save)
        stack.callback(tapes.save)
        await wait_until_ready(
            options.hub_url, lambda state: console.print(state, style="dim"), options.token
        )
        devices = stack.enter_context(Devices()) if options.mic else None
        face = PluggedFace()
        robot = SimulatedRobot(
            options.hub_url,
            options.robot,
            replace(_robot_options(options, scenario, tapes, devices, sees), body=world, face=face),
        )
        if devices is not None:
            devices.on_sound = robot.microphone.hear
        screen = stack.enter_context(Screen(console, robot.captions, robot.speaker.rate_hz))
        async with _looking_on(options, scenario) as onlooker, robot:
            spectator = Spectator(screen, face, world, onlooker)
            return await _Demo(options, scenario, robot, screen, spectator).run()


@asynccontextmanager
async def _looking_on(options: DemoOptions, scenario: Scenario) -> AsyncIterator[Onlooker | None]:
    """Somebody who is told what the robot feels, where a scenario wants to know."""
    if scenario.outcomes is None:
        yield None
        return
    onlooker = Onlooker(options.hub_url, options.robot, options.token)
    try:
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(onlooker.run())
            try:
                yield onlooker
            finally:
                looking.cancel()
    except BaseExceptionGroup as group:
        # One error at most ended it, as a hub that stays away; it is told as itself.
        raise group.exceptions[0] from None


def _camera(options: DemoOptions, world: World) -> PictureSource | None:
    if options.camera == WORLD:
        return WorldCamera(world)
    return source_of(options.camera, options.camera_fps) if options.camera else None


def _scenario(options: DemoOptions) -> Scenario:
    """What the user will say; nothing where the user is a person."""
    if options.mic or options.text:
        noise_dbfs = _NO_NOISE_DBFS if options.mic else DEFAULT_NOISE_DBFS
        return Scenario("you", (), noise_dbfs, pause_s=0.5)
    if options.wav is not None:
        recording = Utterance(options.wav.name, read_pcm(options.wav), options.reference or "")
        return Scenario(options.wav.name, (recording,), DEFAULT_NOISE_DBFS, _WAV_PAUSE_S)
    return load() if options.scenario is None else load(options.scenario)


def _robot_options(
    options: DemoOptions,
    scenario: Scenario,
    tapes: _Tapes,
    devices: Devices | None,
    sees: PictureSource | None,
) -> RobotOptions:
    """A real loudspeaker reaches the real microphone, and nothing here takes it out again."""
    play = devices.play if devices is not None else None

    def said(pcm: bytes) -> None:
        tapes.say(pcm)
        if play is not None:
            play(pcm)

    aec = EchoCanceller.NONE if options.mic else EchoCanceller.DEVICE
    return RobotOptions(
        hello=simulator_hello(aec=aec, attention=scenario.attention),
        token=options.token,
        noise_dbfs=scenario.noise_dbfs,
        heard=tapes.hear,
        said=said,
        sees=sees,
        fps=options.camera_fps,
    )


class _Demo:
    """Lets the user speak when it is time, shows what happens, and judges it."""

    def __init__(
        self,
        options: DemoOptions,
        scenario: Scenario,
        robot: SimulatedRobot,
        screen: Screen,
        spectator: Spectator,
    ) -> None:
        self._spectator = spectator
        self._outcomes = scenario.outcomes
        self._holds = False
        self._options = options
        self._robot = robot
        self._screen = screen
        self._conversation = Conversation(scenario.utterances, scenario.pause_s)
        self._keyboard = Keyboard() if options.text else None

    async def run(self) -> int:
        """Converse to the end; the exit code."""
        endless = self._options.live or self._options.mic
        linked_ns = self._robot.now_ns()
        while not self._over() or endless:
            self._step()
            if self._robot.gone is not None:
                raise self._robot.gone
            if self._robot.link.up:
                linked_ns = self._robot.now_ns()
            elif self._robot.now_ns() - linked_ns > _WITHOUT_HUB_S * 1e9:
                url = self._options.hub_url
                raise HubNotReady(f"the hub at {url} has been away for {_WITHOUT_HUB_S:.0f} s")
            await asyncio.sleep(_LOOK_EVERY_S)
        await self._settle()
        verdict = self._verdict()
        self._screen.summary(verdict)
        return FAILED if verdict.failures else OK

    def _step(self) -> None:
        for event in self._robot.fresh():
            self._conversation.observe(event)
            self._let_go(event.what)
            self._screen.show(event)
        self._spectator.look(self._robot.now_ns())
        utterance = self._conversation.next(self._now())
        if utterance is not None:
            if utterance.held:
                self._robot.listen(Attention.PUSH_TO_TALK, held=True)
                self._holds = True
            self._robot.say(utterance.pcm, utterance.label)
        if self._keyboard is not None and (self._keyboard.is_person or self._answered()):
            line = self._keyboard.line()
            if line is not None:
                self._conversation.typed(self._now().at_ns)
                self._robot.write(line)

    def _let_go(self, what: Happening) -> None:
        """Let go of the button once what it was held for is said."""
        if self._holds and isinstance(what, Spoken) and not what.began:
            self._robot.listen(Attention.PUSH_TO_TALK)
            self._holds = False

    async def _settle(self) -> None:
        """A mood that is on its way arrives."""
        for _ in range(round(_SETTLES_S / _LOOK_EVERY_S)):
            if self._outcomes is None or self._spectator.settled:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
            self._spectator.look(self._robot.now_ns())

    def _over(self) -> bool:
        if self._keyboard is not None:
            return self._keyboard.ended and self._answered()
        return self._conversation.over(self._now())

    def _answered(self) -> bool:
        return self._robot.link.up and self._conversation.over(self._now())

    def _now(self) -> Now:
        return Now(self._robot.now_ns(), self._robot.quiet, self._robot.played_ms)

    def _verdict(self) -> Verdict:
        verdict = judge(
            self._conversation.exchanges,
            self._conversation.ends,
            self._robot.captions.answer,
            self._robot.played_ms,
            self._options.max_wer,
        )
        if self._outcomes is None:
            return verdict
        failures = verdict.failures + unmet(self._outcomes, self._spectator.seen)
        return verdict._replace(failures=failures)
