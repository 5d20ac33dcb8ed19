"""Loudspeakers and microphones: what is played, what is thrown away, what is refused."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from robot_sim.devices import FIRST_SAMPLES, CardMicrophone, CardSpeaker, WavSpeaker
from robot_sim.errors import NoAudioDevice, UnreadableRecording
from robot_sim.wav import Pcm, read_pcm, write_wav
from tests.fakes.sound_card import FakeSoundCard

TICK = b"\1\1" * 320
"""What a robot plays every 20 ms."""


def test_a_loudspeaker_begins_when_it_has_a_reserve_and_again_when_it_ran_dry() -> None:
    card = FakeSoundCard()
    with CardSpeaker("2", card) as speaker:
        (stream,) = card.streams
        assert (stream.settings["device"], stream.open) == (2, True)
        assert speaker.lag_ms == pytest.approx(110)
        speaker.play(TICK)
        assert stream.ask(320) == bytes(640)
        for _ in range(3):
            speaker.play(TICK)
        assert [stream.ask(320) for _ in range(4)] == [TICK] * 4
        assert stream.ask(320) == bytes(640)
        assert speaker.starved == 1
        speaker.play(TICK)
        assert stream.ask(320) == bytes(640)
    assert not stream.open


def test_what_waits_is_not_heard_after_a_cut() -> None:
    card = FakeSoundCard()
    with CardSpeaker(None, card) as speaker:
        speaker.play(b"\1\1" * FIRST_SAMPLES)
        speaker.cut()
        speaker.play(TICK)
        assert card.streams[0].ask(FIRST_SAMPLES) == bytes(2 * FIRST_SAMPLES)
        assert card.streams[0].ask(320) == TICK  # as late as before


def test_a_loudspeaker_that_is_too_slow_loses_the_oldest() -> None:
    with CardSpeaker(None, FakeSoundCard()) as speaker:
        for _ in range(20):
            speaker.play(TICK)
        assert speaker.dropped == 20 * 320 - 3_200


async def test_a_microphone_is_heard_on_the_loop() -> None:
    card, heard = FakeSoundCard(), asyncio.Queue[Pcm]()
    with CardMicrophone("USB", card) as microphone:
        card.streams[0].bring(b"\0\0")  # nobody listens yet
        microphone.on_sound = heard.put_nowait
        await asyncio.to_thread(card.streams[0].bring, b"\5\0\6\0")
        assert list(await heard.get()) == [5, 6]
    assert card.streams[0].settings["device"] == "USB"


def test_a_machine_without_a_device_is_told_of_in_one_sentence() -> None:
    with (
        pytest.raises(NoAudioDevice, match="cannot be opened: no device"),
        CardSpeaker(None, FakeSoundCard(broken=True)),
    ):
        pass


def test_a_file_is_a_loudspeaker(tmp_path: Path) -> None:
    with WavSpeaker(tmp_path / "said.wav") as speaker:
        speaker.play(TICK)
        speaker.cut()
        speaker.play(TICK)
    assert len(read_pcm(tmp_path / "said.wav")) == 640
    with pytest.raises(NoAudioDevice, match="cannot be written"), WavSpeaker(tmp_path / "no" / "x"):
        pass


def test_a_recording_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF....")
    with pytest.raises(UnreadableRecording):
        read_pcm(tmp_path / "bad.wav")
    write_wav(tmp_path / "good.wav", np.zeros(10, np.int16))
    assert len(read_pcm(tmp_path / "good.wav")) == 10
