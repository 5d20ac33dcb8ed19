"""P10: how soon, how surely and how wrongly a voice stops a robot that speaks.

The whole hub in virtual time (``tests/conversations/stage.py``): its engine with the default
policy, ears with its default rules and its own Silero, the embedded recogniser, and a simulated
robot over a link that delays, jitters and stalls in both directions, in order, as TCP does; it has
an ear of its own, as a supervisor with ``aec: device`` has, and once more it leaves everything to
the hub. In virtual time nothing computes: engines answer at once, so what computing adds (Silero 0.1 ms, the
hub some 5 ms, see P2) is not in these times; what ears, policy and link take is. The robot has an
echo canceller of its own, so its microphone does not hear it.

Everything is measured in the sound that leaves the loudspeaker: it is *ducked* in the first 10 ms
that are quieter than before, *silent* in the first without sound. An interruption that leaves the
robot silent and its turn cut is recalled; a cut by anything else is a false stop. A silence that
is released again is a pause, and only counted in the note.
"""

import asyncio
import logging
import random
import statistics
from array import array
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import structlog

from agents.ears.agent import Ears
from agents.ears.backends.silero import SileroActivity
from agents.ears.backends.smart_turn import SmartTurn
from agents.planner.agent import Conversation, Plans
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import ScriptedPlanner
from agents.stt.agent import Stt
from agents.stt.backends.base import Hypothesis, Transcript
from agents.stt.backends.cepstra import Voice
from agents.stt.backends.sphinx_child import SphinxChild
from agents.tts.agent import Jobs, Responses
from agents.tts.backends.scripted import TONE_PEAK, ScriptedVoice
from benchmarks.barge_sound import Event, Track, interruptions, others, track
from benchmarks.material import FRAME, PER_MS
from benchmarks.report import Row
from protocols.messages import robot
from protocols.messages.agent import AgentKind
from robot_sim.ear import Ear, SileroEar
from robot_sim.speaker import Speaker
from tests.conversations.stage import CHUNK_SAMPLES, STEP_S, Robot, Stage
from tests.virtual_time import clock_ns, until
from tests.virtual_time import run as run_virtually

DUCK_GOAL_MS, SILENCE_GOAL_MS = 150.0, 500.0
RECALL_GOAL, FALSE_STOPS_GOAL = 0.95, 1.0
EVERY_MS = 5_000
WAIT_MS = 2_500
"""A voice that has not stopped the robot by then is missed."""
IDLE_S = 1.0
ANSWER = "This sentence is long enough to be a phrase of its own. " * 25
"""A minute of beeps; the robot is asked again once it has been cut, or has finished."""
QUIETER = 0.8 * TONE_PEAK
SEED = 10


class Link(NamedTuple):
    """A link in each direction, in milliseconds. A loss is a retransmission, and holds up what
    comes after it; so does a stall."""

    name: str
    delay_ms: float = 1.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    retransmit_ms: float = 250.0
    stall_every_ms: float = 0.0
    stall_ms: float = 1_000.0


LINKS = (
    Link("clean link"),
    Link("50 ± 30 ms", 50.0, 30.0),
    Link("2 % loss, 1 s stalls", 20.0, 5.0, 0.02, stall_every_ms=20_000),
)


class Pipe:
    """One direction of a link: things arrive in order, each when it may."""

    def __init__(self, link: Link, rng: random.Random) -> None:
        self._link, self._rng = link, rng
        self._last = 0.0
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._stall_at = 0.0

    def send(self, call: Callable[..., None], *args: Any) -> None:
        link, rng = self._link, self._rng
        loop = asyncio.get_running_loop()
        ms = link.delay_ms + rng.uniform(-link.jitter_ms, link.jitter_ms)
        if rng.random() < link.loss:
            ms += link.retransmit_ms
        at = loop.time() + ms / 1000
        if link.stall_every_ms:
            if not self._stall_at:
                self._stall_at = loop.time() + rng.uniform(0.5, 1.5) * link.stall_every_ms / 1000
            if at >= self._stall_at:
                at, self._stall_at = max(at, self._stall_at + link.stall_ms / 1000), 0.0
        self._last = max(at, self._last)
        self._queue.append((call, args))
        loop.call_at(self._last, self._arrive)

    def _arrive(self) -> None:
        call, args = self._queue.popleft()
        call(*args)


class Listener(Robot):
    """A robot that is to speak all the time, and whose loudspeaker is recorded."""

    def __init__(self, name: str, link: Link, heard: Track, ear: Ear | None) -> None:
        super().__init__(name)
        rng = random.Random(f"{SEED} {link.name}")
        self._up, self._down = Pipe(link, rng), Pipe(link, rng)
        self._heard = heard
        self.sound = array("h")
        self.began_ns = clock_ns()
        self.speaker = Speaker(16_000, self.began_ns, self.sound.frombytes)
        self.supervisor = type(self.supervisor)(
            name, robot.Capabilities(), self.speaker, lambda _: None, ear=ear
        )
        self.cuts_ns: list[int] = []
        self.holds_ns: list[int] = []
        self.underruns: Counter[int] = Counter()
        self._idle_s = 0.0

    async def live(self) -> None:
        while self._samples < len(self._heard.pcm):
            await asyncio.sleep(STEP_S)
            self._reply(self.supervisor.advance(clock_ns()))
            chunk = self._heard.pcm[self._samples : self._samples + CHUNK_SAMPLES].tobytes()
            self._reply(self.supervisor.on_sound(chunk, clock_ns()))
            self._up.send(self._hear, self._samples, chunk)
            self._samples += CHUNK_SAMPLES
            self._ask_on()

    def _hear(self, first: int, chunk: bytes) -> None:
        if self.session is not None:
            self.session.on_mic(first, chunk)

    def _ask_on(self) -> None:
        """Have it speak again, unless somebody else is speaking or has just spoken."""
        spoken = any(
            event.onset - 500 * PER_MS < self._samples < event.end + 2_000 * PER_MS
            for event in self._heard.events
        )
        self._idle_s = 0.0 if self.speaker.busy or spoken else self._idle_s + STEP_S
        if self._idle_s >= IDLE_S:
            self._idle_s = 0.0
            self.tell(robot.Text(text=ANSWER))

    def _later(self, call: Callable[..., None], *args: object) -> None:
        up = call == self._pass_on
        if up and isinstance(args[0], robot.Played):
            self.underruns[args[0].turn] = args[0].underruns
        (self._up if up else self._down).send(call, *args)

    def obey(self, message: robot.ToRobot) -> None:
        if isinstance(message, robot.Flush):
            self.cuts_ns.append(clock_ns())
        elif isinstance(message, robot.Hold):
            self.holds_ns.append(clock_ns())
        super().obey(message)


class InlineSphinx:
    """The embedded recogniser in this process: in virtual time nothing waits for it."""

    name, model, capacity = "pocketsphinx", "en-us", 8

    def __init__(self) -> None:
        self.child = SphinxChild()

    async def start(self) -> None:
        """Nothing more to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def stream(self, language: str) -> "InlineStream":
        return InlineStream(self.child)


class InlineStream:
    """See ``Stream``; there is one robot, so the child is its own."""

    def __init__(self, child: SphinxChild) -> None:
        self._child = child
        self._voice = Voice().packed()
        self._begun = False

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        self._begin()
        text = self._child.feed(pcm)
        return Hypothesis(text) if text else None

    async def finish(self) -> Transcript:
        self._begin()
        text, self._voice = self._child.finish()
        self._begun = False
        return Transcript(text, "en")

    async def reset(self) -> None:
        self._begun = False

    async def close(self) -> None:
        self._begun = False

    def _begin(self) -> None:
        if not self._begun:
            self._child.begin(self._voice)
            self._begun = True


class Trial(NamedTuple):
    """What one event did, in ms after its onset; -1 where it did not. ``audible``: the robot spoke
    at full volume when it began. ``held`` and ``cut``: by order of the hub."""

    event: Event
    audible: bool
    duck_ms: float
    silence_ms: float
    held: bool
    cut: bool


class Result(NamedTuple):
    """All events over one link, and how long and how well the robot spoke."""

    trials: list[Trial]
    spoken_s: float
    underruns: int


class Engines(NamedTuple):
    """The embedded ones that hear."""

    activity: SileroActivity
    turn_model: SmartTurn
    recogniser: InlineSphinx

    async def start(self) -> None:
        for engine in self:
            await engine.start()


async def _conversation(link: Link, heard: Track, engines: Engines, ear: Ear | None) -> Result:
    async with asyncio.TaskGroup() as tasks:
        theatre = Stage(tasks)
        await _furnish(theatre, engines)
        one = Listener("r1", link, heard, ear)
        await theatre.connect(one)
        await asyncio.sleep(len(heard.pcm) / (1000 * PER_MS) + STEP_S)
        result = _judged(one, heard)
        for task in [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]:
            task.cancel()
    return result


async def _furnish(theatre: Stage, engines: Engines) -> None:
    await theatre.bus.open()
    planner, reflex, voice = ScriptedPlanner(), ReflexPlanner(), ScriptedVoice(word_ms=200)
    theatre.start_agent("ears", AgentKind.EARS, Ears(engines.activity, engines.turn_model))
    theatre.start_agent("stt", AgentKind.STT, Stt(engines.recogniser))
    theatre.start_agent("planner", AgentKind.PLANNER, Conversation(planner), Plans(planner))
    theatre.start_agent(
        "reflex", AgentKind.PLANNER, Conversation(reflex), Plans(reflex), role="reflex"
    )
    theatre.start_agent("tts", AgentKind.TTS, Responses(voice), Jobs(voice))
    await until(lambda: sum(a.capacity > 0 for a in theatre.registry.agents()) == 5)


def _judged(one: Listener, heard: Track) -> Result:
    sound = np.frombuffer(one.sound, np.int16)
    peaks = np.abs(sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME).astype(int)).max(axis=1)

    def within(times_ns: list[int], event: Event) -> bool:
        at_samples = ((ns - one.began_ns) * PER_MS // 1_000_000 for ns in times_ns)
        return any(0 <= at - event.onset <= WAIT_MS * PER_MS for at in at_samples)

    trials = [
        trial(event, peaks, held=within(one.holds_ns, event), cut=within(one.cuts_ns, event))
        for event in heard.events
    ]
    return Result(trials, float((peaks > 0).sum()) / 100, sum(one.underruns.values()))


def trial(event: Event, peaks: "np.ndarray[Any, Any]", *, held: bool, cut: bool) -> Trial:
    """What ``event`` did, by the peaks of each 10 ms that left the loudspeaker."""
    first = -(-event.onset // FRAME)
    before, after = peaks[max(0, first - 10) : first], peaks[first : first + WAIT_MS // 10]

    def first_ms(found: "np.ndarray[Any, Any]") -> float:
        at = np.flatnonzero(found)
        return (first + int(at[0])) * 10 - event.onset / PER_MS if len(at) else -1.0

    return Trial(
        event,
        bool(len(before)) and bool((before > QUIETER).all()),
        first_ms(after < QUIETER),
        first_ms(after == 0),
        held,
        cut,
    )


def run(times: int = 1) -> list[Row]:
    """Measure P10; every clip is heard ``times`` times over each link."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rng = np.random.default_rng(SEED)
    clips = [(clip, True) for clip in interruptions()] + [(clip, False) for clip in others(rng)]
    engines = Engines(SileroActivity(), SmartTurn(), InlineSphinx())
    asyncio.run(engines.start())
    rows = []
    for link in LINKS:
        order = clips * times
        random.Random(SEED).shuffle(order)
        heard = track(order, EVERY_MS, rng)
        for ear in (SileroEar(), None):
            result = run_virtually(_conversation(link, heard, engines, ear))
            rows += _rows(link, result) if ear else _told_alone(link, result)
    return rows


def _rows(link: Link, result: Result) -> list[Row]:
    case = f"P10 barge-in, {link.name}"
    trials = [one for one in result.trials if one.audible]
    meant = [one for one in trials if one.event.interrupts]
    other = [one for one in trials if not one.event.interrupts]
    recalled = [one for one in meant if one.cut and one.silence_ms >= 0]
    stopped = [one for one in other if one.cut]
    paused = [one for one in other if one.held and not one.cut]
    duck = _quantile([one.duck_ms for one in meant if one.duck_ms >= 0], 0.95)
    silence = _quantile([one.silence_ms for one in recalled], 0.95)
    recall = len(recalled) / len(meant) if meant else float("nan")
    minutes = result.spoken_s / 600
    rate = len(stopped) / minutes if minutes else float("nan")
    missed = sorted({one.event.name for one in meant if one not in recalled})
    clean = link is LINKS[0]
    p50 = statistics.median(one.duck_ms for one in meant if one.duck_ms >= 0)
    silence_p50 = statistics.median(one.silence_ms for one in recalled)
    return [
        Row(case, "onset → audible duck p95", duck, None, "ms", f"≤ {DUCK_GOAL_MS:g} ms",
            duck <= DUCK_GOAL_MS, f"p50 {p50:.0f} ms of {len(meant)}; virtual time"),
        Row(case, "onset → silence p95", silence, None, "ms", f"≤ {SILENCE_GOAL_MS:g} ms",
            silence <= SILENCE_GOAL_MS, f"p50 {silence_p50:.0f} ms; virtual time"),
        Row(case, "recall", 100 * recall, None, "%", f"≥ {RECALL_GOAL:.0%}",
            recall >= RECALL_GOAL, f"missed: {', '.join(missed) or 'none'}"),
        Row(case, "false stops in 10 minutes of speech", rate, None, "", f"≤ {FALSE_STOPS_GOAL:g}",
            rate <= FALSE_STOPS_GOAL,
            f"{len(stopped)} of {len(other)} in {result.spoken_s:.0f} s: {_names(stopped)};"
            f" {len(paused)} more paused it: {_names(paused)}"),
        Row(case, "underruns", result.underruns, None, "", "0" if clean else "",
            result.underruns == 0 if clean else None, ""),
    ]  # fmt: skip


def _told_alone(link: Link, result: Result) -> list[Row]:
    """The same robot without an ear: goals are not asked of it, since no hub can reach them over a
    link whose way there and back takes longer."""
    case = f"P10 barge-in, {link.name}, by the hub alone"
    return [row._replace(case=case, goal="", ok=None) for row in _rows(link, result)]


def _names(trials: list[Trial]) -> str:
    counts = Counter(one.event.name.rstrip(" 0123456789") for one in trials)
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _quantile(values: list[float], quantile: float) -> float:
    return sorted(values)[round((len(values) - 1) * quantile)] if values else float("nan")
