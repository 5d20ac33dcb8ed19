"""Policies of endpointing on the same sound, on sample time: ours, silence alone, model alone.

Everything is ears' own: its voice activity, its turn model, its endpointer; only the rules differ.
The turn model's answer is given to the endpointer once so many samples have passed as the
inference took.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from agents.ears import endpointing
from agents.ears.backends.base import TurnModel, VoiceActivity
from agents.ears.endpointing import DEFAULT_RULES, AskTurnModel, Rules, State, Window
from benchmarks.material import PER_MS
from protocols.messages.voice import UtteranceEnded
from robot_sim.wav import Pcm

MODEL_MS = 64
"""What an answer of the turn model takes: two windows, see ``agents/ears/backends``."""
MODEL_ALONE_MS = 3_000
"""Silence that ends an utterance of which the model alone never says that it is complete; what
Pipecat's analyser waits."""


class Policy(NamedTuple):
    """``rules``, with or without the turn model."""

    name: str
    rules: Rules
    model: bool


def silence_only(ms: int) -> Policy:
    """A fixed silence."""
    rules = replace(DEFAULT_RULES, silence_ms=ms, silence_min_ms=ms, silence_max_ms=ms)
    return Policy(f"{ms} ms of silence", rules, False)


OURS = Policy("ours", DEFAULT_RULES, True)
MODEL_ALONE = Policy(
    "turn model alone",
    replace(
        DEFAULT_RULES, silence_ms=MODEL_ALONE_MS, silence_min_ms=MODEL_ALONE_MS,
        silence_max_ms=MODEL_ALONE_MS, unfinished_ms=MODEL_ALONE_MS,
    ),
    True,
)  # fmt: skip


class Take(NamedTuple):
    """Sound, and the samples between which an end would be judged: speech stops at ``quiet``, and
    goes on at ``resumes``, or never (-1). ``own``: the speaker had paused there by himself."""

    name: str
    pcm: Pcm
    quiet: int
    resumes: int
    own: bool = False


Probabilities = Sequence[Sequence[float]]


def voiced(activity: VoiceActivity, takes: Sequence[Take]) -> list[list[float]]:
    """The probability of voice in each window of each take."""
    size = activity.window
    memories = [activity.memory() for _ in takes]
    found: list[list[float]] = [[] for _ in takes]
    for at in range(0, max(len(take.pcm) for take in takes) - size + 1, size):
        there = [i for i, take in enumerate(takes) if at + size <= len(take.pcm)]
        heard = [(memories[i], takes[i].pcm[at : at + size].tobytes()) for i in there]
        for i, probability in zip(there, activity.score(heard), strict=True):
            found[i].append(probability)
    return found


class Judge:
    """The turn model, asked once about the same sound."""

    def __init__(self, model: TurnModel) -> None:
        self._model = model
        self._known: dict[tuple[int, int, int], float] = {}

    def judge(self, take: Take, first: int, end: int) -> float:
        """Whether what was said in ``take`` from ``first`` to ``end`` is complete, 0 to 1."""
        key = id(take.pcm), first, end
        if key not in self._known:
            self._known[key] = self._model.judge(take.pcm[first:end].tobytes())
        return self._known[key]


def end_of(
    policy: Policy, take: Take, probabilities: Sequence[float], window: int, judge: Judge
) -> int:
    """The sample at which ``policy`` ended the utterance that fell silent at ``take.quiet`` or
    later; -1 if it did not before the sound was over or went on."""
    state = State()
    asked: list[tuple[int, AskTurnModel, float]] = []
    for number, probability in enumerate(probabilities):
        first = number * window
        end = first + window
        state, events = endpointing.step(policy.rules, state, Window(first, end, probability))
        while asked and asked[0][0] <= end:
            _, question, answer = asked.pop(0)
            state, more = endpointing.judged(policy.rules, state, question, answer)
            events = (*events, *more)
        for event in events:
            if isinstance(event, AskTurnModel) and policy.model:
                answer = judge.judge(take, state.first_sample, state.position)
                asked.append((end + MODEL_MS * PER_MS, event, answer))
            elif isinstance(event, UtteranceEnded) and event.last_sample >= take.quiet:
                return event.last_sample
        if 0 <= take.resumes < first:
            return -1
    return -1
