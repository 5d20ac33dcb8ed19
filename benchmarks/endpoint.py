"""P11: how soon a finished sentence is answered, and how often a pause is taken for its end.

*Pauses* are judged on sample time, faster than real time, with ears' own engines: recordings are
cut where words meet, and a pause of room noise is put there, its length drawn evenly from 300 to
1500 ms. That is hard: people's pauses are mostly short, and the sentences were read without a
pause in mind. A false cut-off is an utterance that ended before the speaker went on. It is heard
only if the robot has begun to speak by then, else the hub takes both parts as one turn
(``turn.reopened``); ``audible`` counts those that are heard, with the answer time measured below.
Half of the recordings are held out from whoever tunes rules: their share stands in the note.

*Answers* are timed in real time through the whole hub as processes with the embedded engines, at
the simulated loudspeaker's socket: from the last loud sample of a sentence to the first byte of
speech. The hub's own share is what is neither ears, stt, planner nor tts.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from agents.ears.backends.silero import SileroActivity
from agents.ears.backends.smart_turn import SmartTurn
from benchmarks.endpoint_policies import (
    MODEL_ALONE,
    OURS,
    Judge,
    Policy,
    Take,
    end_of,
    silence_only,
    voiced,
)
from benchmarks.material import PER_MS, PERSON, Gap, Sentence, at_speed, mixed, noise, sentences
from benchmarks.processes import Worker
from benchmarks.report import Row
from benchmarks.robot_client import CHUNK_SAMPLES, Fleet, Robot
from benchmarks.stack import stack
from benchmarks.timing import quantile_ms, within
from protocols.messages import robot
from robot_sim.wav import Pcm

P50_GOAL_MS, CUT_OFF_GOAL, HUB_SHARE_GOAL_MS = 600.0, 0.10, 10.0
PLAIN_SILENCE_MS = 700
PAUSES_PER_GAP = 4
SPEEDS = (0.9, 1.0, 1.1)
PAUSE_MS = (300, 1_500)
ROOM_DBFS = -58.0
LEAD_IN_MS, TAIL_MS = 400, 3_200
OWN_PAUSE_MS = 250
"""Where a recording is quiet for so long, its speaker has paused there by himself."""
SEED = 11
EMBEDDED = {
    "HUB_AGENTS": "ears,stt,planner,tts", "EARS_BACKEND": "silero", "EARS_TURN_MODEL": "smart_turn",
    "STT_BACKEND": "pocketsphinx", "LLM_BACKEND": "reflex", "TTS_BACKEND": "espeak",
}  # fmt: skip
HUB_SEGMENTS = ("first_phrase", "first_byte_sent")
ROUNDS = 2
ANSWER_TIMEOUT_S = 8.0
SETTLE_S = 1.0


class Found(NamedTuple):
    """What a policy did: samples from each pause's or sentence's quiet to the end it declared, -1
    where it declared none."""

    pauses: list[int]
    sentences: list[int]


def pauses(material: Sequence[Sentence], rng: np.random.Generator) -> list[Take]:
    """Takes that pause in mid-sentence."""
    takes = []
    for sentence in material:
        for speed in SPEEDS:
            spoken = at_speed(sentence, speed)
            for gap in spoken.gaps:
                low, high = PAUSE_MS
                lengths = rng.integers(low, high + 1, PAUSES_PER_GAP) * PER_MS
                takes += [_paused(spoken, gap, int(length), rng) for length in lengths]
    return takes


def _paused(sentence: Sentence, gap: Gap, length: int, rng: np.random.Generator) -> Take:
    lead = np.zeros(LEAD_IN_MS * PER_MS, np.int16)
    parts = (lead, sentence.pcm[gap.lead : gap.first], np.zeros(length, np.int16),
             sentence.pcm[gap.end :])  # fmt: skip
    quiet = len(parts[0]) + len(parts[1])
    own = gap.end - gap.first >= OWN_PAUSE_MS * PER_MS
    return Take(sentence.name, _in_room(parts, rng), quiet, quiet + length, own)


def finished(material: Sequence[Sentence], rng: np.random.Generator) -> list[Take]:
    """Takes of whole sentences, with silence after them."""
    takes = []
    for sentence in material:
        for speed in SPEEDS:
            spoken = at_speed(sentence, speed)
            lead, said = np.zeros(LEAD_IN_MS * PER_MS, np.int16), spoken.pcm[: spoken.end]
            parts = lead, said, np.zeros(TAIL_MS * PER_MS, np.int16)
            takes.append(Take(sentence.name, _in_room(parts, rng), len(lead) + len(said), -1))
    return takes


def _in_room(parts: Iterable[Pcm], rng: np.random.Generator) -> Pcm:
    sound = np.concatenate(list(parts))
    return mixed(sound, noise(len(sound), ROOM_DBFS, rng))


def _whole(material: Sequence[Sentence]) -> list[Sentence]:
    """Those that a robot is to answer; what the person says is no sentence of a conversation."""
    return [sentence for sentence in material if sentence.name != PERSON.name]


async def judged(
    policies: Sequence[Policy], pausing: Sequence[Take], whole: Sequence[Take]
) -> list[Found]:
    """Every policy on every take."""
    activity, model = SileroActivity(), SmartTurn()
    await activity.start()
    await model.start()
    judge, window = Judge(model), activity.window
    heard = [voiced(activity, takes) for takes in (pausing, whole)]

    def ends(policy: Policy, takes: Sequence[Take], which: int) -> list[int]:
        found = []
        for take, probabilities in zip(takes, heard[which], strict=True):
            at = end_of(policy, take, probabilities, window, judge)
            found.append(at if at < 0 else at - take.quiet)
        return found

    return [Found(ends(policy, pausing, 0), ends(policy, whole, 1)) for policy in policies]


def cut_off(found: Sequence[int], takes: Sequence[Take], answer_ms: float = 0.0) -> float:
    """The share of pauses in which an utterance ended ``answer_ms`` or more before the speaker
    went on."""
    cuts = sum(
        at >= 0 and at + answer_ms * PER_MS < take.resumes - take.quiet
        for at, take in zip(found, takes, strict=True)
    )
    return cuts / len(takes) if takes else float("nan")


# the whole hub


class Asker(Robot):
    """Speaks one sentence after the other, and cancels an answer once it has begun."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(url, name)
        self.latencies_ns: list[int] = []
        self.segments: list[dict[str, float]] = []
        self.waiting = False
        self._sound: list[bytes] = []
        self._ends_in = 0
        self._ended_ns = 0
        self._room = np.random.default_rng(SEED)

    def say(self, sentence: Sentence) -> None:
        """Begin to speak."""
        whole = sentence.pcm[: sentence.end]
        padded = np.pad(whole, (0, -len(whole) % CHUNK_SAMPLES))
        self._sound = [
            padded[i : i + CHUNK_SAMPLES].tobytes() for i in range(0, len(padded), CHUNK_SAMPLES)
        ]
        self.waiting = True

    def next_chunk(self, now_ns: int) -> bytes:
        if not self._sound:
            return noise(CHUNK_SAMPLES, ROOM_DBFS, self._room).tobytes()
        chunk = self._sound.pop(0)
        if not self._sound:
            self._ended_ns = time.monotonic_ns()
        return chunk

    def on_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        if self._ended_ns:
            self.latencies_ns.append(now_ns - self._ended_ns)
            self._ended_ns = 0

    def on_message(self, message: robot.ToRobot, now_ns: int) -> None:
        if isinstance(message, robot.TurnEnd):
            self.segments.append({one.name: one.ms for one in message.segments})
            self.waiting = False


class Answers(NamedTuple):
    """Of finished sentences, in real time: first audio, and each turn's segments in ms."""

    latencies_ns: list[int]
    segments: list[dict[str, float]]


def client(url: str) -> Callable[[int], Answers]:
    """Connect; return what speaks all sentences once."""
    one = Asker(url, "endpoint")
    fleet = Fleet([one])
    material = _whole(sentences())
    fleet.run(SETTLE_S)

    def run(_: int) -> Answers:
        one.latencies_ns, one.segments = [], []
        for sentence in material:
            one.say(sentence)
            heard = len(one.latencies_ns)
            fleet.run(ANSWER_TIMEOUT_S, lambda _, n=heard: len(one.latencies_ns) > n)  # type: ignore[misc]
            fleet.run(0.3)
            one.send(robot.Cancel())
            fleet.run(2.0, lambda _: not one.waiting)
            fleet.run(SETTLE_S)
        return Answers(one.latencies_ns, one.segments)

    return run


def measured(rounds: int) -> Answers:
    """Answers of the hub as processes."""
    with stack(EMBEDDED) as hub, Worker(client, hub.url) as worker:
        told: list[Answers] = [worker.ask(number) for number in range(rounds)]
    return Answers(
        [ns for one in told for ns in one.latencies_ns],
        [segments for one in told for segments in one.segments],
    )


def run(rounds: int = ROUNDS) -> list[Row]:
    """Measure P11."""
    rng = np.random.default_rng(SEED)
    material = sentences()
    pausing, whole = pauses(material, rng), finished(_whole(material), rng)
    policies = (OURS, silence_only(PLAIN_SILENCE_MS), MODEL_ALONE)
    found = asyncio.run(judged(policies, pausing, whole))
    return rows(policies, found, pausing, material, measured(rounds))


def rows(
    policies: Sequence[Policy],
    found: Sequence[Found],
    pausing: Sequence[Take],
    material: Sequence[Sentence],
    answers: Answers,
) -> list[Row]:
    """What was found, as lines of a report; there is one ``found`` for each policy, ours first."""
    case = "P11 turn end"
    p50 = quantile_ms(answers.latencies_ns, 0.5)
    means = _medians(answers.segments)
    after_ms = sum(ms for name, ms in means.items() if name != "endpointing")
    hub_ms = sum(means.get(name, 0.0) for name in HUB_SEGMENTS)
    ours, silence = found[0], found[1]
    shares = [cut_off(one.pauses, pausing) for one in found]
    audible = [cut_off(one.pauses, pausing, after_ms) for one in found]
    waits = [_wait_ms(one.sentences) for one in found]
    held_out = {sentence.name for sentence in material[1::2]}
    kept = [i for i, take in enumerate(pausing) if take.name in held_out]
    own = [i for i, take in enumerate(pausing) if take.own]
    kept_share, own_share = (
        cut_off([ours.pauses[i] for i in which], [pausing[i] for i in which])
        for which in (kept, own)
    )
    others = "; ".join(
        f"{policy.name} {share:.0%}, {heard:.0%} audible"
        for policy, share, heard in zip(policies, shares, audible, strict=True)
    )
    return [
        Row(case, "end of sentence → first audio p50, whole hub", p50, None, "ms",
            f"≤ {P50_GOAL_MS:g} ms", within(p50, P50_GOAL_MS),
            f"{len(answers.latencies_ns)} sentences; medians in ms: "
            + ", ".join(f"{name} {ms:.1f}" for name, ms in means.items())),
        Row(case, "false cut-offs, against plain silence", 100 * shares[0], 100 * shares[1], "%",
            f"≤ {CUT_OFF_GOAL:.0%}", shares[0] <= CUT_OFF_GOAL,
            f"{len(pausing)} pauses of {PAUSE_MS[0]} to {PAUSE_MS[1]} ms; {others};"
            f" ours on the held-out half {kept_share:.0%}, where the speaker had paused by himself"
            f" {own_share:.0%} of {len(own)}; sample time"),
        Row(case, "false cut-offs that are heard", 100 * audible[0], 100 * audible[1], "%",
            f"≤ {CUT_OFF_GOAL:.0%}", None,
            f"the robot would speak {after_ms:.0f} ms after the end was declared"),
        Row(case, "end of sentence → end declared p50, against plain silence", waits[0], waits[1],
            "ms", "", None,
            f"{len(ours.sentences)} sentences, {_undeclared(ours)} of ours and"
            f" {_undeclared(silence)} of silence's without an end; model alone {waits[2]:.0f} ms"),
        Row(case, "the hub's own share", hub_ms, None, "ms", f"≤ {HUB_SHARE_GOAL_MS:g} ms",
            within(hub_ms, HUB_SHARE_GOAL_MS), " + ".join(HUB_SEGMENTS)),
    ]  # fmt: skip


def _medians(segments: Sequence[dict[str, float]]) -> dict[str, float]:
    names = list(dict.fromkeys(name for one in segments for name in one))
    return {name: statistics.median(one.get(name, 0.0) for one in segments) for name in names}


def _wait_ms(ends: Sequence[int]) -> float:
    declared = [at for at in ends if at >= 0]
    return statistics.median(declared) / PER_MS if declared else float("nan")


def _undeclared(found: Found) -> int:
    return sum(at < 0 for at in found.sentences)
