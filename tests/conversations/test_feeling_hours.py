"""Hours of simulated talk: no guardrail breaks, and the face on its wire shows what is felt, though
feelings are late, hang or are killed. Whole conversations in virtual time, by seeds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from agents.feelings.agent import Feelings, by_chance
from agents.feelings.backends.scripted import ScriptedBook
from agents.feelings.guardrails import Guardrails
from agents.feelings.moods import NEGATIVE
from agents.runtime.service import Emit, Inbox
from hub.errors import AgentMissing
from hub.remembering import order_feelings
from hub.session.feeling import GRACE_MS
from protocols.envelope import Message
from protocols.messages.affect import AffectOverride
from protocols.messages.agent import AgentKind
from protocols.messages.robot import Cancel, Capabilities, Text, TurnBegin, World
from robot_sim.face_mcu import FaceMcu
from robot_sim.face_wire import FaceWire
from robot_sim.supervisor import Supervisor
from tests.conversations.stage import Stage, stage
from tests.conversations.test_feelings import Light, MoodyPlanner
from tests.virtual_time import clock_ns, until, virtual

STEP_S = 0.02
BLEND_S = 0.50
"""A mood change on the face: blink, fall, rise, and the loops of host and face."""
HOLD_S = 0.50
LATE_S = 0.20
LIMITS = Guardrails(session_limit_s=240, daily_limit_s=900)
CAPS_S = Guardrails().duration_caps_s
CAPS = Guardrails().intensity_caps


class Faced(Light):
    """A light robot with a face on a wire."""

    def __init__(self, name: str = "r1") -> None:
        super().__init__(name)
        now_ns = clock_ns()
        self.mcu = FaceMcu(now_ns)
        self._answers = bytearray()
        wire = FaceWire(self._write)
        self.supervisor = Supervisor(name, Capabilities(), self.speaker, lambda _: None, wire=wire)
        self.supervisor.face_opened(now_ns)

    async def live(self) -> None:
        while self.closed is None:
            await asyncio.sleep(STEP_S)
            now_ns = clock_ns()
            self._reply(self.supervisor.advance(now_ns))
            told = bytes(self._answers) + self.mcu.advance(now_ns)
            self._answers.clear()
            if told:
                self._reply(self.supervisor.on_face(told, now_ns))

    def _write(self, data: bytes) -> None:
        self._answers += self.mcu.receive(data, clock_ns())


class Unreliable(Feelings):
    """Feelings that tell everything ``late_s`` late, and nothing at all while they are ``numb``."""

    late_s = 0.0
    numb = False

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        loop = asyncio.get_running_loop()
        serving = True

        def told(message: Message) -> None:
            if serving and not self.numb:
                emit(message)

        def late(message: Message) -> None:
            if self.late_s:
                loop.call_later(self.late_s, told, message)
            else:
                told(message)

        try:
            await super().serve(inbox, late)
        finally:
            serving = False


class Judge:
    """Looks at the face on the wire fifty times a second, and at what the engine says."""

    def __init__(self, robot: Faced, service: Unreliable) -> None:
        self._robot, self._service = robot, service
        self._felt = ("", 0.0)
        self._shown = ("", 0.0)
        self.excused_until = 0.0
        """Feelings were away or late until then: the face may differ from what they say."""
        self.moods: set[str] = set()
        self.agreed = self.looks = 0

    async def watch(self) -> None:
        while True:
            self.look(asyncio.get_running_loop().time())
            await asyncio.sleep(STEP_S)

    def look(self, now: float) -> None:
        heart, face = self._service.hearts["r1"], self._robot.mcu.face
        mood, intensity = heart.state.shown
        if mood != self._felt[0]:
            self._felt = mood, now
        if face.emotion != self._shown[0]:
            self._shown = face.emotion, now
        self.looks += 1
        self.moods.add(face.emotion)
        # the engine's own
        assert intensity <= CAPS.get(mood, 1.0)
        assert mood not in NEGATIVE or heart.state.in_conversation, "negative, and alone"
        # what is to be seen, whoever says it
        assert face.intensity <= CAPS.get(face.emotion, 1.0) + 1 / 255
        lasts = now - self._shown[1]
        slack_s = BLEND_S + (LATE_S + GRACE_MS / 1_000 if now < self.excused_until else 0.0)
        assert lasts <= CAPS_S.get(face.emotion, lasts) + slack_s, f"{face.emotion} {lasts:.1f} s"
        if now < self.excused_until:
            return
        settled = now - self._felt[1] > BLEND_S + HOLD_S
        assert face.emotion == mood or not settled, f"shows {face.emotion}, feels {mood}"
        self.agreed += face.emotion == mood


class Play:
    """One life by a seed."""

    def __init__(self, seed: int, theatre: Stage, service: Unreliable, robot: Faced) -> None:
        self.chance = Random(seed)
        self._theatre, self._service, self._robot = theatre, service, robot
        self.judge = Judge(robot, service)
        self._agent = "feelings"

    async def act(self) -> None:
        """Something happens to the robot."""
        chance, robot = self.chance, self._robot
        match chance.randrange(12):
            case 0:
                await asyncio.sleep(chance.uniform(20, 60))
            case 1:
                robot.tell(Text(text="tell me more"))
                await asyncio.sleep(chance.uniform(0, 0.5))
                robot.tell(Cancel())
            case 2:
                self._push()
            case 3:
                level = {"power": {"soc_pct": chance.randint(1, 99)}, "faults": ["TILT"]}
                robot.tell(World(world=level))
            case 4:
                await self._theatre.sessions.say("r1", "Lunch is ready.", emotion="angry")
            case _:
                await robot.hears()
        await asyncio.sleep(chance.uniform(0, 5))

    async def hurt(self) -> None:
        """Something happens to the feelings, in the middle of a conversation."""
        service, theatre, now = self._service, self._theatre, asyncio.get_running_loop().time
        self.judge.excused_until = float("inf")
        match self.chance.randrange(3):
            case 0:
                theatre.kill(self._agent)
                await self._robot.hears()
                await self._revived()
            case 1:
                service.late_s = self.chance.uniform(0.01, LATE_S)
                await self._robot.hears()
                await asyncio.sleep(service.late_s)
                service.late_s = 0.0
            case _:
                service.numb = True
                await self._robot.hears()
                theatre.kill(self._agent)
                service.numb = False
                await self._revived()
        self.judge.excused_until = now() + LATE_S + BLEND_S + HOLD_S

    async def _revived(self) -> None:
        theatre = self._theatre
        theatre.revive(self._agent)
        self._agent += "-2"
        await until(lambda: theatre.registry.pick(AgentKind.FEELINGS) is not None)

    def _push(self) -> None:
        unit = self.chance.uniform
        push = AffectOverride(valence=unit(-1, 1), arousal=unit(-1, 1), magnitude=1.0)
        with suppress(AgentMissing):
            order_feelings(self._theatre.sessions, "r1", push)


@asynccontextmanager
async def playing(seed: int, limits: Guardrails = LIMITS) -> AsyncIterator[Play]:
    service = Unreliable(
        ScriptedBook(), guardrails=limits, noise=by_chance(str(seed)), day=lambda: 739_950
    )
    async with stage(MoodyPlanner(Random(seed))) as theatre:
        theatre.start_agent("feelings", AgentKind.FEELINGS, service)
        await until(lambda: theatre.registry.pick(AgentKind.FEELINGS) is not None)
        robot = Faced()
        await theatre.connect(robot)
        await until(lambda: "r1" in service.hearts)
        play = Play(seed, theatre, service, robot)
        play.judge.excused_until = asyncio.get_running_loop().time() + 2.0
        theatre.tasks.create_task(play.judge.watch())
        yield play
        assert len(robot.told(TurnBegin)) > 5


async def live(play: Play, seconds: float, fault_every: int) -> None:
    end, acts = asyncio.get_running_loop().time() + seconds, 0
    while asyncio.get_running_loop().time() < end:
        acts += 1
        if fault_every and acts % fault_every == 0:
            await play.hurt()
        else:
            await play.act()


@pytest.mark.parametrize("seed", range(6))
@virtual
async def test_in_any_life_no_guardrail_breaks_and_the_face_shows_what_is_felt(seed: int) -> None:
    async with playing(seed) as play:
        await live(play, 360.0, 0)
        assert play.judge.agreed > 0.85 * play.judge.looks
        assert len(play.judge.moods) >= 2


@pytest.mark.parametrize("seed", range(100, 106))
@virtual
async def test_feelings_that_fail_break_none_and_are_shown_again_at_once(seed: int) -> None:
    async with playing(seed) as play:
        await live(play, 360.0, 4)
        assert play.judge.agreed > 0.4 * play.judge.looks
