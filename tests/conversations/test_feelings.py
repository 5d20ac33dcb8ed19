"""What a robot feels while it talks: whole conversations with the feelings agent, in virtual time."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from agents.feelings.agent import Feelings, by_chance
from agents.feelings.backends.scripted import ScriptedBook
from agents.feelings.guardrails import FORBIDDEN_REASONS, Guardrails
from agents.feelings.moods import MOODS, NEGATIVE
from agents.memory.agent import Remembrance
from agents.memory.robots import RobotMemories
from agents.memory.store import Store
from agents.planner.backends.base import Planner
from agents.planner.backends.scripted import ScriptedPlanner
from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox
from hub.errors import AgentMissing, UnknownRobot
from hub.remembering import RobotMinds, order_feelings
from hub.session.state import Policy
from protocols.messages.affect import AffectOverride, AffectReset
from protocols.messages.agent import AgentKind
from protocols.messages.robot import (
    Cancel,
    Emotion,
    Profile,
    Text,
    ToRobot,
    TurnBegin,
    TurnEnd,
    World,
)
from protocols.messages.turn import TurnStart
from tests.conversations.stage import Robot, Stage, stage
from tests.virtual_time import clock_ns, until, virtual

HOUR_S = 3_590.0
"""As long as virtual time goes."""
ON_ITS_WAY_S = 0.006
"""A wire's delay: for so long a face may show what was felt before."""
NO_LIMITS = Guardrails(session_limit_s=0, daily_limit_s=0)


class Light(Robot):
    """A robot without a microphone, for long lives."""

    def __init__(self, name: str = "r1") -> None:
        super().__init__(name)
        self._turn = 0
        self._news = asyncio.Event()

    def obey(self, message: ToRobot) -> None:
        super().obey(message)
        if isinstance(message, TurnBegin | TurnEnd):
            self._turn = message.turn if isinstance(message, TurnBegin) else 0
            self._news.set()

    async def hears(self, text: str = "hello robot") -> None:
        """Somebody waits until it is silent, types, and hears the answer to its end."""
        await self._until(talking=False)
        self.tell(Text(text=text))
        await self._until(talking=True)
        await self._until(talking=False)

    async def _until(self, *, talking: bool) -> None:
        while bool(self._turn) is not talking:
            self._news.clear()
            await self._news.wait()

    async def live(self) -> None:
        while self.closed is None:
            await asyncio.sleep(0.1)
            self._reply(self.supervisor.advance(clock_ns()))


class OneMood(ScriptedPlanner):
    """Always wishes for the same."""

    def __init__(self, emotion: str, **more: object) -> None:
        super().__init__()
        self._answer = {"emotion": emotion, "intensity": 1.0, **more, "text": "Hello there."}
        self.asked: list[TurnStart] = []

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        self.asked.append(turn)
        yield json.dumps(self._answer)


class MoodyPlanner(ScriptedPlanner):
    """Wishes for whatever a seed says, with reasons good and bad."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self._chance = chance
        self.asked: list[TurnStart] = []

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        chance = self._chance
        self.asked.append(turn)
        yield json.dumps(
            {
                "emotion": chance.choice([*MOODS, *NEGATIVE, *NEGATIVE]),
                "intensity": chance.random(),
                "mood_reason": chance.choice(["", "a toy broke", *FORBIDDEN_REASONS]),
                "text": "Well. " * chance.randint(1, 8),
            }
        )


@asynccontextmanager
async def feeling(
    planner: Planner | None = None, limits: Guardrails = NO_LIMITS
) -> AsyncIterator[tuple[Stage, Feelings]]:
    """A stage with the feelings agent on it."""
    service = Feelings(
        ScriptedBook(), guardrails=limits, noise=by_chance("seed"), day=lambda: 739_950
    )
    async with stage(planner) as theatre:
        theatre.start_agent("feelings", AgentKind.FEELINGS, service)
        await until(lambda: theatre.registry.pick(AgentKind.FEELINGS) is not None)
        yield theatre, service


async def on_stage(theatre: Stage) -> Light:
    """A robot that has been told how it feels."""
    robot = Light()
    await theatre.connect(robot)
    await robot.next(Emotion)
    return robot


class Judge:
    """Looks at a face and at what the engine says, again and again."""

    def __init__(self, robot: Robot, service: Feelings) -> None:
        self._face, self._service, self._name = robot.supervisor.face, service, robot.name
        self._wrong_since = self._shown_since = 0.0
        self._mood = ""
        self.moods: set[str] = set()
        self.looks = 0

    def look(self) -> None:
        now = asyncio.get_running_loop().time()
        heart = self._service.hearts[self._name]
        mood, intensity = heart.state.shown
        face = self._face
        self.looks += 1
        self.moods.add(face.emotion)
        if (face.emotion, round(intensity, 3)) == (mood, face.intensity):
            self._wrong_since = now
        assert now - self._wrong_since <= ON_ITS_WAY_S + 0.05, "the face shows something else"
        if face.emotion != self._mood:
            self._mood, self._shown_since = face.emotion, now
        limits = heart.limits
        assert intensity <= limits.intensity_caps.get(mood, 1.0)
        assert face.intensity <= limits.intensity_caps.get(face.emotion, 1.0)
        cap_s = limits.duration_caps_s.get(face.emotion)
        assert cap_s is None or now - self._shown_since <= cap_s + 0.1, f"{face.emotion} for long"
        assert mood not in NEGATIVE or heart.state.in_conversation, "negative, and alone"

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.05)


@virtual
async def test_in_an_hour_of_talk_no_guardrail_breaks_and_the_face_shows_what_is_felt() -> None:
    chance = Random(7)
    async with feeling(MoodyPlanner(chance)) as (theatre, service):
        robot = await on_stage(theatre)
        judge = Judge(robot, service)
        theatre.tasks.create_task(judge.watch())
        end = asyncio.get_running_loop().time() + HOUR_S - 60
        while asyncio.get_running_loop().time() < end:
            match chance.randrange(12):
                case 0:
                    await asyncio.sleep(chance.uniform(20, 60))
                case 1:
                    robot.tell(Text(text="tell me more"))
                    await asyncio.sleep(chance.uniform(0, 0.5))
                    robot.tell(Cancel())
                case 2:
                    push = AffectOverride(
                        valence=chance.uniform(-1, 1), arousal=chance.uniform(-1, 1), magnitude=1.0
                    )
                    order_feelings(theatre.sessions, "r1", push)
                case 3:
                    level = {"power": {"soc_pct": chance.randint(1, 99)}, "faults": ["TILT"]}
                    robot.tell(World(world=level))
                case 4:
                    await theatre.sessions.say("r1", "Lunch is ready.", emotion="angry")
                case _:
                    await robot.hears()
            await asyncio.sleep(chance.uniform(0, 5))
        assert judge.looks > 60_000
        assert judge.moods >= {"neutral", "happy", "sad", "thinking"}
        assert len(robot.told(TurnBegin)) > 300


@virtual
async def test_a_robot_whose_feelings_are_killed_shows_the_models_and_then_its_own_again() -> None:
    async with feeling(OneMood("angry")) as (theatre, service):
        robot = await on_stage(theatre)
        await robot.hears()
        for _ in range(3):
            anger = AffectOverride(valence=-0.6, arousal=0.7, magnitude=1.0)
            order_feelings(theatre.sessions, "r1", anger)
        await robot.hears()
        face = robot.supervisor.face
        angry = [e.intensity for e in robot.told(Emotion) if e.emotion == "angry"]
        assert angry
        assert max(angry) <= 0.5
        theatre.kill("feelings")
        await robot.hears()
        assert (face.emotion, face.intensity) == ("angry", 0.5), "the hub holds it back"
        theatre.revive("feelings")
        await until(lambda: theatre.registry.pick(AgentKind.FEELINGS) is not None)
        await asyncio.sleep(0.1)
        assert face.emotion == service.hearts["r1"].state.shown.mood


@virtual
async def test_feelings_that_hang_hold_no_answer_back() -> None:
    class Numb(Feelings):
        """Takes everything and says nothing."""

        async def serve(self, inbox: Inbox, emit: Emit) -> None:
            await asyncio.Event().wait()

    async with stage(OneMood("excited")) as theatre:
        theatre.start_agent("feelings", AgentKind.FEELINGS, Numb(ScriptedBook()))
        await until(lambda: theatre.registry.pick(AgentKind.FEELINGS) is not None)
        robot = Light()
        await theatre.connect(robot)
        await robot.hears()
        assert [e.emotion for e in robot.told(Emotion)] == ["excited"]
        told = next(e for e in theatre.trace if "Emotion" in repr(e))
        meta = next(e for e in theatre.trace if "ResponseMeta" in repr(e))
        assert 0.019 <= (told.t_ns - meta.t_ns) / 1e9 <= 0.021


@virtual
async def test_planners_are_told_of_the_mood() -> None:
    planner = MoodyPlanner(Random(1))
    async with feeling(planner) as (theatre, _):
        robot = await on_stage(theatre)
        await robot.hears()
        assert set(planner.asked[0].profile) == {
            "mood", "intensity", "valence", "arousal", "idle_state", "session_time_s",
        }  # fmt: skip


@virtual
async def test_a_break_is_suggested_and_after_the_day_is_used_up_nothing_begins() -> None:
    limits = Guardrails(session_limit_s=40, daily_limit_s=60)
    planner = MoodyPlanner(Random(1))
    async with feeling(planner, limits) as (theatre, _):
        robot = await on_stage(theatre)
        end = asyncio.get_running_loop().time() + 100
        while asyncio.get_running_loop().time() < end:
            await robot.hears()
        await asyncio.sleep(45)
        texts = [end.response_text for end in robot.told(TurnEnd)]
        policy = Policy()
        assert texts.count(policy.suggest_break) == 1
        assert texts.count(policy.enough_today) == 1
        asked = len(planner.asked)
        await robot.hears()
        assert robot.told(TurnEnd)[-1].response_text == policy.enough_today
        assert len(planner.asked) == asked


@virtual
async def test_a_robot_that_has_feelings_is_not_told_what_to_feel() -> None:
    async with feeling(OneMood("angry")) as (theatre, _):
        robot = await on_stage(theatre)
        robot.tell(Profile(profile={"mood": "calm"}))
        await robot.hears()
        assert robot.told(Emotion)[-1].emotion == "angry"
        with pytest.raises(AgentMissing):
            order_feelings(theatre.sessions, "r1", AffectReset())
        with pytest.raises(UnknownRobot):
            order_feelings(theatre.sessions, "r2", AffectReset())


@virtual
async def test_what_a_robot_may_remember_is_known_in_the_next_conversation(tmp_path: Path) -> None:
    store = Store(tmp_path)
    memories = RobotMemories(store, default_consent=True)
    await store.open()
    tag = {"tag": "trains", "category": "preference", "valence_bias": "0.8"}
    planner = OneMood("happy", memory_tags=[tag])
    async with feeling(planner) as (theatre, _):
        theatre.start_agent("memory", AgentKind.MEMORY, Remembrance(memories))
        await until(lambda: theatre.registry.pick(AgentKind.MEMORY) is not None)
        robot = await on_stage(theatre)
        await asyncio.sleep(0.1)
        await robot.hears()
        await asyncio.sleep(0.1)
        await robot.hears()
        assert [asked.profile.get("memory_tags") for asked in planner.asked] == [
            None, ["trains"],
        ]  # fmt: skip
        assert theatre.sessions.counters.read()["memory.noted"] == 2
        await memories.consent("r1", granted=False)
        again = await theatre.reconnect(robot)
        await asyncio.sleep(0.1)
        again.tell(Text(text="hello robot"))
        await again.next(TurnEnd)
        assert "memory_tags" not in planner.asked[-1].profile
        assert theatre.sessions.counters.read()["memory.noted"] == 2
    assert (await memories.recall("r1", 5)).entries == ()
    await store.close()


@virtual
async def test_what_people_decide_of_a_memory_is_known_in_the_conversation_under_way(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    await store.open()
    planner = OneMood("happy", memory_tags=[{"tag": "trains", "category": "preference"}])
    async with feeling(planner) as (theatre, _):
        minds = RobotMinds(theatre.desk, theatre.sessions)
        with pytest.raises(AgentMissing):
            await minds.memories("r1", "")
        theatre.start_agent("memory", AgentKind.MEMORY, Remembrance(RobotMemories(store)))
        await until(lambda: theatre.registry.pick(AgentKind.MEMORY) is not None)
        robot = await on_stage(theatre)
        assert minds.feelings("r1").mood
        with pytest.raises(UnknownRobot):
            minds.feelings("r2")

        await robot.hears()
        assert not (await minds.memories("r1", "")).entries, "nobody has consented"
        assert (await minds.consent("r1", True, "a token")).consent
        await robot.hears()
        await asyncio.sleep(0.1)
        assert [entry.tag for entry in (await minds.memories("r1", "")).entries] == ["trains"]
        await robot.hears()
        assert planner.asked[-1].profile["memory_tags"] == ["trains"]
        await minds.forget("r1", (), "a token")
        await robot.hears()
        assert "memory_tags" not in planner.asked[-1].profile
        assert not (await minds.consent("r1", False, "a token")).consent
        assert (await minds.memories("r2", "")).consent is False
    await store.close()


@virtual
async def test_a_conversation_goes_on_without_a_memory_that_fails() -> None:
    class Forgetful(Remembrance):
        async def serve(self, inbox: Inbox, emit: Emit) -> None:
            raise AgentError("the disk is gone", "store_failed")

    async with feeling(OneMood("happy")) as (theatre, _):
        forgetful = Forgetful(RobotMemories(Store(Path("nowhere"))))
        theatre.start_agent("memory", AgentKind.MEMORY, forgetful)
        await until(lambda: theatre.registry.pick(AgentKind.MEMORY) is not None)
        robot = await on_stage(theatre)
        await robot.hears()
        assert robot.told(TurnEnd)[-1].response_text == "Hello there."
        assert theatre.sessions.counters.read()["memory.failed.store_failed"] == 1
