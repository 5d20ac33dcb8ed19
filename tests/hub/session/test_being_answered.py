"""Who is being answered: from the end of the user's speech until the response has been made."""

import pytest

from hub.session.preemption import Claim
from hub.session.state import State, Turn, Utterance
from protocols.messages.turn import Priority

USER = Claim(Priority.USER)


@pytest.mark.parametrize(
    ("state", "answered"),
    [
        (State("r1"), False),
        (State("r1", utterance=Utterance(1)), False),
        (State("r1", utterance=Utterance(1, voiced=False)), True),
        (State("r1", awaited=Utterance(1)), True),
        (State("r1", turn=Turn(1, USER)), True),
        (State("r1", turn=Turn(1, USER, text_done=True)), True),
        (State("r1", turn=Turn(1, USER, text_done=True, complete=True)), False),
        (State("r1", turn=Turn(1, USER, text_done=True, voiceless="tts_down")), False),
        (State("r1", turn=Turn(1, USER, complete=True), awaited=Utterance(2)), True),
    ],
    ids=[
        "silence",
        "the_user_speaks",
        "the_user_paused",
        "transcript_due",
        "thinking",
        "speaking_what_is_not_made_yet",
        "only_playing",
        "text_alone",
        "the_next_one_was_asked",
    ],
)
def test_a_robot_is_being_answered(state: State, answered: bool) -> None:
    assert state.being_answered is answered
