"""The robot's own wake word: heard once each time, and named where it cannot be had."""

import importlib.util

import numpy as np
import pytest

from protocols.messages.session import Attention
from robot_sim.errors import NoWakeWord
from robot_sim.pi.order import read_order
from robot_sim.pi.parts import hello_of
from robot_sim.pi.wake import WakeListener
from robot_sim.wav import read_pcm
from tests.recordings import SCENARIO

RECORDINGS = SCENARIO.parent / "attention" / "recordings"
needs_library = pytest.mark.skipif(
    importlib.util.find_spec("pymicro_wakeword") is None, reason="needs robot-hub[wake]"
)


def heard(listener: WakeListener, name: str) -> list[str]:
    pcm = np.concatenate([read_pcm(RECORDINGS / name), np.zeros(16_000, np.int16)]).tobytes()
    return [word for at in range(0, len(pcm), 640) if (word := listener.hear(pcm[at : at + 640]))]


@needs_library
def test_a_word_is_heard_once_each_time_it_is_said_and_no_other_is() -> None:
    listener = WakeListener("okay_nabu")
    assert heard(listener, "called.wav") == ["okay_nabu"]
    assert heard(listener, "weather.wav") == []
    assert heard(listener, "called.wav") == ["okay_nabu"]


@needs_library
def test_a_word_without_a_model_is_named() -> None:
    with pytest.raises(NoWakeWord, match=r"'hey_robot'.*okay_nabu"):
        WakeListener("hey_robot")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoWakeWord, match=r"robot-hub-supervisor\[wake\]"):
        WakeListener("okay_nabu")


def test_an_order_with_a_wake_word_says_so_in_its_hello() -> None:
    order = read_order(["--robot-id", "r1", "--wake", "okay_nabu", "--attention", "wake_word"])
    hello = hello_of(order)
    assert (hello.wakes, hello.attention) == (True, Attention.WAKE_WORD)
    plain = hello_of(read_order(["--robot-id", "r1"]))
    assert (plain.wakes, plain.attention) == (False, None)
