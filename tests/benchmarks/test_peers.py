"""What a run against the peers makes of its rounds, and what its client does by the clock."""

import math

from benchmarks.peers.client import CUT_AFTER_NS, UTTERANCE, Sample, Talk
from benchmarks.peers.fakes import answer_pcm, mark_in
from benchmarks.peers.results import DEFAULTS, HUB, LEANEST, LIVEKIT, Side, figures, verdicts
from benchmarks.robot_client import CHUNK_SAMPLES, SILENCE
from protocols.marks import MarkKind, marked_chunk

MS = 1_000_000


def rounds(cores: float, answer_ms: float = 1.0) -> list[tuple[Sample, float, float]]:
    sample = Sample([round(answer_ms * MS)] * 4, [MS], 4, 1, 0, 0)
    return [(sample, cores * factor, 0.5) for factor in (0.9, 1.0, 5.0)]


def judged(cores: dict[tuple[Side, int], float]) -> dict[str, bool | None]:
    found = figures({key: rounds(busy) for key, busy in cores.items()})
    return {verdict.goal: verdict.ok for verdict in verdicts(found)}


def test_robots_per_core_are_those_of_the_median_round() -> None:
    found = figures({(HUB, 100): rounds(0.5)})[HUB, 100]
    assert (found.per_core, found.answered, found.cut) == (200, 1.0, 1.0)


def test_the_hub_is_compared_with_the_leanest_at_its_best_size() -> None:
    cores = {(HUB, 100): 0.25, (LEANEST, 40): 0.4, (LEANEST, 100): 2.0}
    assert judged(cores)["P4: ≥ 4 × Pipecat's leanest at its best"] is True
    assert judged(cores | {(LEANEST, 10): 0.05})["P4: ≥ 4 × Pipecat's leanest at its best"] is False


def test_a_size_that_was_not_measured_gets_no_verdict() -> None:
    assert set(judged({(HUB, 1): 0.1, (LEANEST, 1): 0.1}).values()) == {None}


def test_each_peer_has_its_own_goal() -> None:
    cores = {(HUB, 100): 0.25, (DEFAULTS, 100): 1.8, (LIVEKIT, 100): 0.2}
    assert list(judged(cores).values()) == [None, True, False, None]


def test_a_side_that_answers_nothing_has_no_latency() -> None:
    silent = Sample([], [], 3, 0, 0, 0)
    found = figures({(LEANEST, 1): [(silent, 0.1, 0.0)]})[LEANEST, 1]
    assert math.isnan(found.answer_p50_ms)
    assert found.answered == 0


def spoken_to_the_end(talk: Talk, now_ns: int) -> list[bytes]:
    return [talk.next_chunk(now_ns) for _ in UTTERANCE]


def test_a_robot_says_its_words_between_marks_and_waits_for_the_answer() -> None:
    talk = Talk()
    talk.begin(5)
    assert talk.next_chunk(4) == SILENCE
    chunks = spoken_to_the_end(talk, 5)
    first, last = mark_in(chunks[0]), mark_in(chunks[-1])
    assert first is not None
    assert last is not None
    assert (first.kind, last.kind) == (MarkKind.START, MarkKind.STOP)
    assert talk.waits
    talk.heard(10)
    assert (talk.waits, len(talk.answers_ns)) == (False, 1)


def test_every_other_answer_is_cut_and_speech_after_the_notice_is_stale() -> None:
    talk = Talk()
    talk.begin(1)
    heard_at = 0
    cuts = []
    for cycle in range(2):
        now = 1 + cycle * 4_000 * MS
        spoken_to_the_end(talk, now)
        heard_at = now + 500 * MS
        talk.heard(heard_at)
        cuts.append(talk.cuts_now(heard_at + CUT_AFTER_NS))
    assert cuts == [False, True]
    assert not talk.cuts_now(heard_at + 2 * CUT_AFTER_NS)
    talk.noticed(heard_at + CUT_AFTER_NS + MS)
    talk.heard(heard_at + CUT_AFTER_NS + 2 * MS)
    assert (talk.stale, len(talk.notices_ns), talk.waits) == (1, 1, False)


def test_fakes_find_a_mark_only_at_the_beginning_of_a_chunk() -> None:
    assert mark_in(SILENCE) is None
    assert mark_in(marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)) is not None
    assert len(answer_pcm("two words")) == 2 * 2 * 3200
