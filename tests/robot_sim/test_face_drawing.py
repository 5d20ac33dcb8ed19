"""How a face looks: every mood alike in size, all different, and always the same."""

import sys
from pathlib import Path

import pytest

from protocols.face import GESTURES, MOODS
from protocols.messages.face import Conversation
from robot_sim.errors import NoDrawing
from robot_sim.face_drawing import FaceState, drawn, png, write_png


def test_every_mood_has_a_face_of_its_own_and_of_the_same_size() -> None:
    faces = {mood: drawn(FaceState(mood)) for mood in MOODS}
    assert len({"\n".join(lines[:-2]) for lines in faces.values()}) == len(MOODS)
    assert {len(line) for lines in faces.values() for line in lines} == {23}


def test_the_mouth_opens_with_the_voice_and_eyes_close_for_a_blink() -> None:
    quiet, loud = (drawn(FaceState(talking=True, energy=energy)) for energy in (100, 250))
    assert quiet != loud
    assert drawn(FaceState(gesture="blink")) != drawn(FaceState())


@pytest.mark.parametrize("gesture", ["", *GESTURES])
def test_whatever_a_face_may_show_can_be_drawn(gesture: str) -> None:
    for state in Conversation:
        assert drawn(FaceState("unheard of", 2.0, state.value, True, 255, gesture))


def test_a_picture_is_the_same_for_the_same_state_and_another_for_another(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    states = [
        FaceState(), FaceState("sad"), FaceState(talking=True, energy=200),
        FaceState(gesture="wink_l"), FaceState(conversation="ptt"), FaceState(gaze=(100, -50)),
    ]  # fmt: skip
    pictures = [png(state) for state in states]
    assert pictures == [png(state) for state in states]
    assert len(set(pictures)) == len(states)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    write_png(states[0], tmp_path / "face.png")
    assert (tmp_path / "face.png").read_bytes() == pictures[0]
    with pytest.raises(NoDrawing, match="cannot be written"):
        write_png(states[0], tmp_path / "no" / "face.png")


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(NoDrawing, match=r"install robot-hub\[vision\]"):
        png(FaceState())
