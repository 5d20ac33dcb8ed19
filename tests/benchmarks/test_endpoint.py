"""How pauses are made from recordings, and how a policy is judged on them."""

from dataclasses import replace

import numpy as np

from agents.ears.endpointing import DEFAULT_RULES
from benchmarks.endpoint import PAUSE_MS, cut_off, pauses
from benchmarks.endpoint_policies import MODEL_ALONE, Judge, Policy, Take, end_of, silence_only
from benchmarks.material import PER_MS, at_speed, sentences

WINDOW = 512
SPEECH, SILENCE = [0.9] * 32, [0.05] * 80


class Certain:
    """A turn model that always says the same."""

    name = "certain"

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self.asked = 0

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def judge(self, pcm: bytes) -> float:
        self.asked += 1
        return self.probability


def ended_ms(policy: Policy, model: Certain, resumes: int = -1) -> float:
    """When a policy ends one second of speech, in ms after it."""
    quiet = len(SPEECH) * WINDOW
    sound = np.zeros((len(SPEECH) + len(SILENCE)) * WINDOW, np.int16)
    take = Take("take", sound, quiet, resumes)
    at = end_of(policy, take, SPEECH + SILENCE, WINDOW, Judge(model))
    return at if at < 0 else (at - quiet) / PER_MS


def test_plain_silence_ends_after_its_length_and_asks_nobody() -> None:
    model = Certain(1.0)
    assert 700 <= ended_ms(silence_only(700), model) < 740
    assert model.asked == 0


def test_a_model_that_is_sure_ends_at_the_pause_and_one_that_is_not_waits() -> None:
    with_model = Policy("with model", DEFAULT_RULES, True)
    assert 192 <= ended_ms(with_model, Certain(1.0)) < 300
    assert ended_ms(with_model, Certain(0.0)) >= 1_600
    assert ended_ms(MODEL_ALONE, Certain(0.0)) == -1
    patient = Policy("patient", replace(DEFAULT_RULES, complete_probability=0.9), True)
    assert ended_ms(patient, Certain(0.8)) > 1_000


def test_nothing_is_judged_after_the_speaker_went_on() -> None:
    resumes = (len(SPEECH) + 10) * WINDOW
    assert ended_ms(silence_only(700), Certain(1.0), resumes) == -1


def test_a_cut_off_is_an_end_before_the_speaker_went_on() -> None:
    sound = np.zeros(1, np.int16)
    takes = [Take("a", sound, 0, 500 * PER_MS)] * 4
    ends = [-1, 300 * PER_MS, 450 * PER_MS, 600 * PER_MS]
    assert cut_off(ends, takes) == 0.5
    assert cut_off(ends, takes, 100) == 0.25


def test_a_pause_stands_where_words_meet_and_keeps_its_length() -> None:
    demo = sentences()[:3]
    takes = pauses(demo, np.random.default_rng(1))
    lengths = [(take.resumes - take.quiet) // PER_MS for take in takes]
    assert takes
    assert all(PAUSE_MS[0] <= ms <= PAUSE_MS[1] for ms in lengths)
    assert all(np.abs(take.pcm[take.quiet : take.resumes]).max() < 500 for take in takes)


def test_a_recording_played_faster_is_shorter_with_its_gaps() -> None:
    one = next(sentence for sentence in sentences() if sentence.gaps)
    fast = at_speed(one, 1.25)
    assert abs(len(fast.pcm) * 1.25 - len(one.pcm)) < 3
    assert fast.gaps[0].first == int(one.gaps[0].first / 1.25)
