"""Feelings on a bus: sessions come and go, time passes, and nothing is told that was not lived."""

import asyncio
from datetime import date
from random import Random

from agents.feelings.agent import Feelings, by_chance, today
from agents.feelings.backends.scripted import ScriptedBook
from agents.feelings.guardrails import Guardrails
from protocols.messages.affect import AffectState, AffectWish, Broken, GuardrailHeld
from protocols.messages.face import AffectChanged
from protocols.messages.session import SessionAssign, SessionRelease
from protocols.messages.turn import Outcome, Priority, TurnEnded, TurnStarted
from tests.agents.runtime.rig import HubSide, Rig, envelope_of, running
from tests.virtual_time import settle, virtual

DAY = 739_950


class Calendar:
    """A wall that a test turns the pages of."""

    def __init__(self) -> None:
        self.day = DAY

    def __call__(self) -> int:
        return self.day


def feelings(
    book: ScriptedBook | None = None,
    limits: Guardrails | None = None,
    calendar: Calendar | None = None,
) -> Feelings:
    return Feelings(
        book or ScriptedBook(),
        guardrails=limits or Guardrails(),
        noise=by_chance("a seed"),
        day=calendar or Calendar(),
    )


def begins(hub: HubSide, turn: int = 1, priority: Priority = Priority.USER) -> None:
    hub.bus.publish(envelope_of(TurnStarted(priority=priority), "r1", turn=turn))


def ends(hub: HubSide, turn: int = 1) -> None:
    hub.bus.publish(envelope_of(TurnEnded(outcome=Outcome.DONE), "r1", turn=turn))


def states(rig: Rig) -> list[AffectState]:
    return [s for s in rig.hub.bodies(AffectState) if isinstance(s, AffectState)]


@virtual
async def test_the_facts_of_a_robot_move_it_and_wishes_are_answered_within_milliseconds() -> None:
    async with running(feelings()) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        begins(rig.hub)
        await settle()
        assert states(rig)[-1].conversation_active
        at = asyncio.get_running_loop().time()
        rig.hub.order(AffectWish(emotion="happy", intensity=0.9, conversing=True), turn=1)
        await settle()
        assert asyncio.get_running_loop().time() - at < 0.005
        answer = rig.hub.bodies(AffectChanged)[-1]
        assert isinstance(answer, AffectChanged)
        assert (answer.turn, answer.emotion) == (1, "happy")
        ends(rig.hub)
        await asyncio.sleep(31)
        assert not states(rig)[-1].conversation_active


@virtual
async def test_a_heart_outlives_its_sessions() -> None:
    service = feelings()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await asyncio.sleep(100)
        rig.hub.order(SessionRelease())
        await settle()
        told = len(rig.hub.got)
        await asyncio.sleep(50)
        assert len(rig.hub.got) == told, "nobody listens"
        heart = service.hearts["r1"]
        rig.hub.order(SessionAssign(), session="s2", epoch=2)
        await settle()
        assert service.hearts["r1"] is heart
        assert isinstance(rig.hub.got[told].body, AffectChanged)


@virtual
async def test_a_connection_that_returns_goes_on_with_its_conversation() -> None:
    async with running(feelings()) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        begins(rig.hub)
        await asyncio.sleep(5)
        rig.hub.order(SessionAssign(), epoch=2)
        await settle()
        assert states(rig)[-1].conversation_active
        assert states(rig)[-1].session_time_s >= 5


@virtual
async def test_the_same_seed_feels_the_same() -> None:
    lives = []
    for _ in range(2):
        async with running(feelings()) as rig:
            rig.hub.order(SessionAssign())
            await settle()
            begins(rig.hub)
            await asyncio.sleep(20)
            lives.append(list(rig.hub.bodies(AffectState)))
    assert lives[0] == lives[1]
    assert by_chance("x")("r1").random() == by_chance("x")("r1").random()
    assert by_chance("x")("r1").random() != by_chance("x")("r2").random()
    assert isinstance(by_chance("")("r1"), Random)


async def talk(rig: Rig, seconds: float) -> None:
    """Somebody talks for so long, in turns of ten seconds."""
    rig.hub.order(SessionAssign())
    await settle()
    for turn in range(1, round(seconds / 10) + 1):
        begins(rig.hub, turn)
        await asyncio.sleep(10)
        ends(rig.hub, turn)


@virtual
async def test_a_day_that_is_used_up_stays_so_over_a_restart() -> None:
    book, limits, calendar = ScriptedBook(), Guardrails(daily_limit_s=60), Calendar()
    async with running(feelings(book, limits, calendar)) as rig:
        await talk(rig, 75)
        assert [h.rule for h in rig.hub.bodies(GuardrailHeld)] == [Broken.DAILY_LIMIT]  # type: ignore[attr-defined]
    async with running(feelings(book, limits, calendar)) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        assert states(rig)[-1].daily_limit_reached
        begins(rig.hub)
        await settle()
        assert [h.rule for h in rig.hub.bodies(GuardrailHeld)] == [Broken.DAILY_BLOCKED]  # type: ignore[attr-defined]
        assert not states(rig)[-1].conversation_active
        calendar.day += 1
        await asyncio.sleep(2)
        assert not states(rig)[-1].daily_limit_reached
        begins(rig.hub, 2)
        await settle()
        assert states(rig)[-1].conversation_active


def test_today_is_a_day_of_the_calendar() -> None:
    assert abs(today() - date(2026, 1, 1).toordinal()) < 366 * 50
