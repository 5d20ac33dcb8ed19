"""The face: last value wins, gestures queue, the mouth closes by itself."""

from protocols.messages.face import Conversation
from robot_sim.face import GESTURE_SLOTS, Face

MS = 1_000_000


def test_mood_and_conversation_are_the_last_ones_given() -> None:
    face = Face()
    face.show("sad", 0.2)
    face.show("happy", 0.9)
    face.converse(Conversation.SPEAKING)
    assert (face.emotion, face.intensity, face.conversation) == ("happy", 0.9, "speaking")


def test_gestures_are_shown_one_after_the_other() -> None:
    face = Face()
    face.queue("nod")
    face.queue("blink")
    assert face.advance(0) == ("nod",)
    assert face.advance(349 * MS) == ()
    assert face.gesture == "nod"
    assert face.advance(350 * MS) == ("blink",)
    assert face.advance(600 * MS) == ()
    assert face.gesture == ""


def test_a_full_queue_drops_its_oldest_gesture() -> None:
    face = Face()
    face.queue("heart")
    for _ in range(GESTURE_SLOTS):
        face.queue("blink")
    assert face.advance(0) == ("blink",)
    assert face.counters == {"dropped_gesture": 1}


def test_an_unknown_gesture_is_counted_and_not_shown() -> None:
    face = Face()
    assert not face.queue("spin")
    assert face.advance(0) == ()
    assert face.counters == {"unknown_gesture": 1}


def test_the_mouth_stops_450_ms_after_the_last_refresh() -> None:
    face = Face()
    face.talk(120, 0)
    face.talk(140, 400 * MS)
    face.advance(849 * MS)
    assert (face.talking, face.energy) == (True, 140)
    face.advance(850 * MS)
    assert (face.talking, face.energy) == (False, 0)
