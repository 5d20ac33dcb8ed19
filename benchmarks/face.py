"""How soon a face follows: what the user does, what the robot thinks, and what its loudspeaker says.

A real hub, each agent a process; a simulated robot on a WebSocket, whose face is a microcontroller
at the end of a serial line (a pseudo-terminal). Everything is measured where the microcontroller
obeys: wire, loops and the face's own loop of 10 ms are in it, drawing is not. Ears and recogniser
are scripted, so that the moment is known at which an utterance ends or the wake word was said (what
real ears take to be sure of it is not in these times: see P11); planner (reflex), voice (espeak) and
feelings are the embedded ones.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from benchmarks.face_watch import (
    CLOSED,
    FaceOnALine,
    WatchedRobot,
    is_mouth,
    skews_ms,
    watched,
)
from benchmarks.report import Row
from benchmarks.stack import stack
from benchmarks.timing import within
from protocols.face import SCREEN_HEIGHT
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.face import Conversation
from protocols.messages.robot import TurnEnd
from protocols.messages.session import Attention
from robot_sim.clock import device_clock
from robot_sim.events import Happening, Linked
from robot_sim.microphone import Spoken
from robot_sim.robot import RobotOptions, simulator_hello
from robot_sim.speaker import Cue, Moment

CASE = "face"
ENVIRONMENT = {
    "HUB_AGENTS": "ears,stt,planner,tts,feelings", "EARS_BACKEND": "scripted",
    "EARS_TURN_MODEL": "none", "EARS_WAKE_BACKEND": "scripted", "STT_BACKEND": "scripted",
    "LLM_BACKEND": "reflex", "TTS_BACKEND": "espeak", "FEELINGS_SEED": "bench",
    "FEELINGS_BACKEND": "scripted",
}  # fmt: skip
CHUNK_SAMPLES = 320
ROUNDS, PRESSES = 8, 3
SETTLE_S = 1.5
LISTENED_S = 1.2
"""So long is listened to an answer before it is interrupted."""
PATIENCE_S = 10.0
BUTTON = (30, SCREEN_HEIGHT - 20)
TAP_S = 0.12
_NO_NOISE_DBFS = -120.0

STORY = "tell me a story"
ASKED = ("what can you do", "how are you", "hello robot", "thank you")


class Times(NamedTuple):
    """What was timed, in ms."""

    thinking: list[float]
    button: list[float]
    wake: list[float]
    speaking: list[float]
    mouth: list[float]
    closing: list[float]
    skew: list[float]
    late: list[float]
    """How late this process was at most, in each round."""


class Visitor:
    """Does to the robot what users do, and looks at its face."""

    def __init__(self, robot: WatchedRobot, line: FaceOnALine) -> None:
        self._robot, self._line = robot, line
        self._face = line.face
        self.times = Times([], [], [], [], [], [], [], [])

    async def speaks(self, text: str) -> int:
        """Say ``text``; when its end was captured."""
        silence = bytes(2 * CHUNK_SAMPLES)
        start = marked_chunk(MarkKind.START, CHUNK_SAMPLES, text)
        self._robot.say(start + 5 * silence + marked_chunk(MarkKind.STOP, CHUNK_SAMPLES), text)
        return await self._said()

    async def shown(self, since_ns: int, found: Callable[[Conversation | int], bool]) -> float:
        """How many ms after ``since_ns`` the face did it.

        Raises:
            TimeoutError: it did not.
        """
        async with asyncio.timeout(PATIENCE_S):
            return (await self._face.does(since_ns, found) - since_ns) / 1e6

    async def converses(self, text: str) -> None:
        """Say something, and hear the answer to its end."""
        robot, times = self._robot, self.times
        ended_ns = await self.speaks(text)
        times.thinking.append(
            await self.shown(ended_ns, lambda what: what is Conversation.THINKING)
        )
        began_ns, turn = await self._sounds()
        await robot.next(TurnEnd, timeout_s=60)
        for kept, found in (
            (times.speaking, lambda what: what is Conversation.SPEAKING),
            (times.mouth, lambda what: is_mouth(what) and what != CLOSED),
        ):
            kept.append(abs(await self.shown(ended_ns, found) - (began_ns - ended_ns) / 1e6))
        frames = [frame for frame in robot.frames if frame.turn == turn]
        mouth = [
            deed for deed in self._face.deeds if deed.at_ns >= ended_ns and is_mouth(deed.what)
        ]
        if not self._has_paused(turn):
            times.skew.extend(skews_ms(frames, began_ns, robot.speaker.rate_hz, mouth))

    async def interrupts(self, text: str) -> None:
        """Ask, listen for a moment, and press the stop button."""
        await self.speaks(text)
        await self._sounds()
        await asyncio.sleep(LISTENED_S)
        pressed_ns = device_clock()
        self._robot.cancel()
        self.times.closing.append(await self.shown(pressed_ns, lambda what: what == CLOSED))
        await self._robot.next(TurnEnd)

    async def presses(self) -> None:
        """Tap the face's button, once to talk and once to have talked."""
        lifted_ns = await self._tap()
        self.times.button.append(await self.shown(lifted_ns, lambda what: what is Conversation.PTT))
        await asyncio.sleep(0.4)
        await self._tap()
        await asyncio.sleep(0.4)

    async def calls(self) -> None:
        """Say the wake word to a robot that waits for it."""
        asleep_ns = device_clock()
        self._robot.listen(Attention.WAKE_WORD)
        await self.shown(asleep_ns, lambda what: what is Conversation.IDLE)
        await asyncio.sleep(0.3)
        marks = ((MarkKind.START, ""), (MarkKind.WAKE, "robot"))
        self._robot.say(b"".join(marked_chunk(kind, CHUNK_SAMPLES, of) for kind, of in marks))
        said_ns = await self._said()
        awake = (Conversation.ATTENTION, Conversation.LISTENING)
        self.times.wake.append(await self.shown(said_ns, lambda what: what in awake))
        self._robot.say(marked_chunk(MarkKind.STOP, CHUNK_SAMPLES))
        await self._said()
        self._robot.listen(Attention.OPEN)
        await asyncio.sleep(0.5)

    def round_over(self) -> None:
        """Note how late this process was."""
        self.times.late.append(self._line.late_ns / 1e6)
        self._line.late_ns = 0

    async def _tap(self) -> int:
        """When the finger was lifted again."""
        mcu = self._line.mcu
        mcu.touch(*BUTTON, device_clock())
        await asyncio.sleep(TAP_S)
        lifted_ns = device_clock()
        mcu.lift(*BUTTON, lifted_ns)
        return lifted_ns

    async def _sounds(self) -> tuple[int, int]:
        """When sample 0 of the answer sounded, and its turn."""
        cue = await self._robot.next(Cue, lambda cue: cue.moment is Moment.BEGAN)
        samples = cue.played.samples
        return self._when(
            cue
        ) - samples * 1_000_000_000 // self._robot.speaker.rate_hz, cue.played.turn

    async def _said(self) -> int:
        """When the last of what the user says was captured."""
        said: Spoken = await self._robot.next(Spoken, lambda said: not said.began)
        return self._when(said)

    def _when(self, what: Happening) -> int:
        return next(event.at_ns for event in reversed(self._robot.log) if event.what == what)

    def _has_paused(self, turn: int) -> bool:
        cues = [e.what for e in self._robot.log if isinstance(e.what, Cue)]
        mine = [cue for cue in cues if cue.played.turn == turn]
        return any(cue.moment is Moment.HELD or cue.played.underruns for cue in mine)


@asynccontextmanager
async def visit(url: str) -> AsyncIterator[Visitor]:
    """Somebody in front of a robot that is ready."""

    def options(port: object) -> RobotOptions:
        return RobotOptions(hello=simulator_hello(), noise_dbfs=_NO_NOISE_DBFS, face=port)  # type: ignore[arg-type]

    async with watched(url, "face", options) as (robot, line):
        await robot.next(Linked)
        await asyncio.sleep(SETTLE_S)
        yield Visitor(robot, line)


async def _measured(url: str, rounds: int) -> Times:
    async with visit(url) as visitor:
        for number in range(rounds):
            for asked in ASKED[number % 2 :]:
                await visitor.converses(asked)
            await visitor.interrupts(STORY)
            for _ in range(PRESSES):
                await visitor.presses()
            await visitor.calls()
            visitor.round_over()
        return visitor.times


def run(rounds: int = ROUNDS) -> list[Row]:
    """Measure how soon the face follows."""
    with stack(ENVIRONMENT) as hub:
        return rows_of(asyncio.run(_measured(hub.url, rounds)))


def rows_of(times: Times) -> list[Row]:
    """What was timed, each beside its goal."""
    late = f"this process was late by {max(times.late, default=0.0):.0f} ms at most"
    return [
        _row("end of utterance → thinking face p95", times.thinking, 300, late),
        _row("push-to-talk → visual p95", times.button, 100, "from the finger's lifting"),
        _row("wake word → visual p95", times.wake, 200, "from the word's end; scripted detector"),
        _row("first sound ↔ speaking face p95", times.speaking, 100),
        _row("first sound ↔ open mouth p95", times.mouth, 100),
        _row("face/voice skew p95", times.skew, 40, "every millisecond of speech"),
        _row("interruption → closed mouth p95", times.closing, 50, "from the button's press"),
    ]


def _row(metric: str, times: Sequence[float], goal_ms: float, note: str = "") -> Row:
    p95 = sorted(times)[round(0.95 * (len(times) - 1))] if times else float("nan")
    p50 = statistics.median(times) if times else float("nan")
    said = f"p50 {p50:.0f} ms, worst {max(times, default=float('nan')):.0f} ms of {len(times)}"
    ok = within(p95, goal_ms) if times else False
    return Row(
        CASE, metric, p95, None, "ms", f"≤ {goal_ms:g} ms", ok, f"{said}; {note}".rstrip("; ")
    )
