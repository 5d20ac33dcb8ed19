"""Scenarios and recordings: what the project holds is usable, what is not is named."""

from pathlib import Path

import numpy as np
import pytest

from protocols.messages.session import Attention
from robot_sim.errors import BadScenario, UnreadableRecording
from robot_sim.scenario import DEMO, load
from robot_sim.wav import RATE_HZ, read_pcm, write_wav

ATTENTION = DEMO.parent / "attention" / "attention.toml"


def test_the_demo_has_enough_to_say_and_one_interruption() -> None:
    scenario = load()
    assert len(scenario.utterances) >= 6
    assert sum(u.interrupts is not None for u in scenario.utterances) == 1
    for utterance in scenario.utterances:
        assert utterance.text
        assert utterance.intent
        assert 0.5 < len(utterance.pcm) / RATE_HZ < 5
        assert np.abs(utterance.pcm).max() > 10_000


def test_the_demo_s_recordings_are_all_there_is_and_small() -> None:
    files = list((DEMO.parent / "recordings").iterdir())
    assert {f.stem for f in files} == {u.label for u in load().utterances}
    assert sum(f.stat().st_size for f in files) < 600_000


def test_the_scenario_of_attention_says_what_is_for_the_robot_and_by_which_way() -> None:
    scenario = load(ATTENTION)
    assert scenario.attention is Attention.WAKE_WORD
    assert [(u.label, u.ignored, u.held) for u in scenario.utterances] == [
        ("weather", True, False),
        ("called", False, False),
        ("follow_up", False, False),
        ("button", False, True),
    ]
    files = list((ATTENTION.parent / "recordings").iterdir())
    assert {f.stem for f in files} == {u.label for u in scenario.utterances}


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        'name = "x"\nvoice = "v"',
        'name = "x"\nvoice = "v"\nnoise_dbfs = 3\n[[utterance]]\nrecording = "a"\ntext = "b"',
        'name = "x"\nvoice = "v"\n[[utterance]]\nrecording = "a"\ntext = "b"\nintnet = "c"',
        'name = "x"\nvoice = "v"\n[[utterance]]\nrecording = "a"\ntext = "b"\ninterrupts = 1.0',
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(BadScenario, match=r"scenario\.toml"):
        load(path)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('name="x"\nvoice="v"\n[[utterance]]\nrecording="gone.wav"\ntext="b"')
    with pytest.raises(UnreadableRecording, match=r"gone\.wav"):
        load(path)


def test_any_rate_is_read_as_16_khz(tmp_path: Path) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)).astype(np.int16)
    path = tmp_path / "tone.wav"
    write_wav(path, tone, 44_100)
    pcm = read_pcm(path)
    assert abs(len(pcm) - 16_000) <= 32
    spectrum = np.abs(np.fft.rfft(pcm[:16_000].astype(float), 16_000))
    assert int(np.argmax(spectrum)) == 440


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    text, empty = tmp_path / "notes.txt", tmp_path / "empty.wav"
    text.write_text("no sound in here")
    write_wav(empty, b"")
    for path in (text, empty, tmp_path):
        with pytest.raises(UnreadableRecording):
            read_pcm(path)
