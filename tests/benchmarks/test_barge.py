"""The link of the barge-in benchmark, and how it reads what a loudspeaker played."""

import asyncio
import random

import numpy as np

from benchmarks.barge import Link, Pipe, trial
from benchmarks.barge_sound import Clip, Event, track
from benchmarks.material import PER_MS
from tests.virtual_time import clock_ns, virtual

FULL, DUCKED = 8_000, 2_000


def peaks(*stretches: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """So many ms of each peak, in frames of 10 ms."""
    return np.concatenate([np.full(ms // 10, peak) for ms, peak in stretches])


EVENT = Event("wait", True, 200 * PER_MS, 900 * PER_MS)


def test_a_duck_is_seen_before_the_silence_it_leads_to() -> None:
    sound = peaks((300, FULL), (150, DUCKED), (2_600, 0))
    found = trial(EVENT, sound, held=True, cut=True)
    assert (found.audible, found.duck_ms, found.silence_ms) == (True, 100.0, 250.0)


def test_a_robot_that_goes_on_is_neither_ducked_nor_silent() -> None:
    found = trial(EVENT, peaks((4_000, FULL)), held=False, cut=False)
    assert (found.duck_ms, found.silence_ms) == (-1.0, -1.0)


def test_a_robot_that_was_silent_already_is_no_trial() -> None:
    assert not trial(EVENT, peaks((150, FULL), (4_000, 0)), held=False, cut=False).audible


@virtual
async def test_a_link_loses_and_stalls_but_keeps_the_order() -> None:
    link = Link("bad", 50.0, 30.0, loss=0.1, stall_every_ms=1_000)
    pipe, arrived, began = Pipe(link, random.Random(1)), list[tuple[int, int]](), clock_ns()
    for number in range(200):
        pipe.send(lambda n: arrived.append((n, (clock_ns() - began) // 1_000_000)), number)
        await asyncio.sleep(0.02)
    await asyncio.sleep(3)
    delays = [at - number * 20 for number, at in arrived]
    assert [number for number, _ in arrived] == list(range(200))
    assert min(delays) >= 19
    assert 900 <= max(delays) <= 1_600


def test_a_track_knows_where_its_voices_begin() -> None:
    clip = Clip("tone", np.full(1_600, 9_000, np.int16), 160)
    heard = track([(clip, True), (clip, False)], 1_000, np.random.default_rng(1))
    assert [event.interrupts for event in heard.events] == [True, False]
    for event in heard.events:
        assert np.abs(heard.pcm[event.onset : event.end]).min() > 5_000
