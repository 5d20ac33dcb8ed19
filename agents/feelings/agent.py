"""Feelings: what robots feel, from what happens to them and from what a language model wishes."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from agents.feelings.backends.base import DayBook
from agents.feelings.guardrails import Guardrails
from agents.feelings.heart import Heart, Told
from agents.feelings.temperament import Axes, temperament
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.affect import (
    AffectBias,
    AffectOverride,
    AffectReset,
    AffectState,
    AffectWish,
    BodySensed,
    GuardrailHeld,
    GuardrailSet,
)
from protocols.messages.face import AffectChanged
from protocols.messages.session import AttentionSet, SessionAssign
from protocols.messages.turn import TurnEnded, TurnStarted
from protocols.messages.voice import VoiceConfirmed

MAX_HEARTS = 4_096
"""Robots that are known; the one that was served last of all is forgotten first."""


def today() -> int:
    """The number of the calendar day where the robots live."""
    return datetime.now(UTC).astimezone().toordinal()


def by_chance(seed: str) -> Callable[[str], Random]:
    """Makes the noise of a robot: the same one of the same ``seed``, another each time without."""
    return lambda robot: Random(f"{seed}/{robot}") if seed else Random()


class Feelings:
    """The service: one coroutine per session. A robot's heart outlives its sessions and the hub, its
    spent time the process."""

    name = "feelings"
    scope = Scope.SESSION
    opens: frozenset[type[Message]] = frozenset({SessionAssign})
    consumes: frozenset[type[Message]] = frozenset(
        {
            AffectWish, AffectOverride, AffectReset, AffectBias, GuardrailSet, BodySensed,
            AttentionSet, TurnStarted, TurnEnded, VoiceConfirmed,
        }
    )  # fmt: skip
    closes: frozenset[type[Message]] = frozenset()
    produces: frozenset[type[Message]] = frozenset({AffectChanged, AffectState, GuardrailHeld})

    def __init__(
        self,
        book: DayBook,
        axes: Axes = Axes(),  # noqa: B008 - frozen
        guardrails: Guardrails = Guardrails(),  # noqa: B008 - frozen
        *,
        noise: Callable[[str], Random] = by_chance(""),  # noqa: B008
        day: Callable[[], int] = today,
    ) -> None:
        self._book, self._guardrails = book, guardrails
        self._nature = temperament(axes)
        self._noise, self._day = noise, day
        self.hearts: OrderedDict[str, Heart] = OrderedDict()

    @property
    def counters(self) -> Counter[str]:
        """Of the book."""
        return self._book.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Feel for one session's length."""
        opening = (await anext(inbox)).envelope
        loop = asyncio.get_running_loop()
        heart = self._heart_of(opening.robot, loop.time())
        told = heart.open(opening.session, loop.time(), self._day())
        while True:
            self._tell(opening, heart, told, emit)
            try:
                async with asyncio.timeout_at(heart.due_s):
                    item = await anext(inbox)
            except TimeoutError:
                told = heart.advance(loop.time(), self._day())
            except StopAsyncIteration:
                return
            else:
                envelope = item.envelope
                told = heart.hear(envelope.body, envelope.turn, loop.time(), self._day())

    def _tell(self, opening: AnyEnvelope, heart: Heart, told: Told, emit: Emit) -> None:
        for message in told:
            emit(message)
        self._book.note(opening.robot, heart.state.day, heart.state.daily_s)

    def _heart_of(self, robot: str, now_s: float) -> Heart:
        heart = self.hearts.get(robot)
        if heart is None:
            day = self._day()
            spent_s = self._book.spent_s(robot, day)
            heart = Heart(self._nature, self._guardrails, self._noise(robot), now_s, day, spent_s)
            if len(self.hearts) >= MAX_HEARTS:
                self.hearts.popitem(last=False)
            self.hearts[robot] = heart
        self.hearts.move_to_end(robot)
        return heart
