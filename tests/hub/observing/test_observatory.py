"""Who watches sees words; what is kept has none."""

from hub.observing.observatory import MOST_OBSERVERS, Observatory
from hub.session.eyes import Picture
from hub.trace.entries import Entry, Fact
from hub.trace.tap import Tap
from protocols.envelope import Envelope
from protocols.messages.face import AffectChanged, Conversation, FaceChanged
from protocols.messages.speech import SpeechPlayed
from protocols.messages.transcript import TranscriptFinal
from protocols.messages.vision import CameraFrame
from tests.fakes.views import FakeViews, a_view

SAID = Envelope(robot="r1", body=TranscriptFinal(utterance=1, text="hello"))


def texts(entries: list[Entry]) -> list[str]:
    return [
        e.body.text for e in entries if isinstance(e, Fact) and isinstance(e.body, TranscriptFinal)
    ]


def test_an_observer_sees_words_that_the_trace_does_not() -> None:
    tap, traced, seen = Tap(lambda: 1), [], []
    tap.add(traced.append)
    observatory = Observatory(tap)
    observatory.join(seen.append)
    tap.fact(SAID, acting=False)
    observatory.leave(seen.append)
    assert texts(seen) == ["hello"]
    assert texts(traced) == [""]


def test_without_observers_nobody_sees_words() -> None:
    tap = Tap(lambda: 1)
    observatory = Observatory(tap)
    assert tap.watcher is None
    one, other = list[Entry](), list[Entry]()
    put_one, put_other = one.append, other.append
    observatory.join(put_one)
    observatory.join(put_other)
    observatory.leave(put_one)
    tap.fact(SAID, acting=False)
    assert (texts(one), texts(other)) == ([], ["hello"])
    observatory.leave(put_other)
    assert tap.watcher is None


def test_who_comes_later_is_told_where_things_stand_without_words() -> None:
    tap, seen = Tap(lambda: 1), list[Entry]()
    observatory = Observatory(tap)
    for mood in ("happy", "sad"):
        body = FaceChanged(conversation=Conversation.IDLE, emotion=mood)
        tap.fact(Envelope(robot="r1", body=body), acting=False)
    played = SpeechPlayed(played_ms=3, heard_text="hello")
    tap.fact(Envelope(robot="r1", turn=1, body=played), acting=False)
    tap.fact(Envelope(robot="r1", body=AffectChanged(emotion="sad", intensity=1)), acting=False)
    observatory.join(seen.append)
    assert [e.body for e in seen if isinstance(e, Fact)] == [
        FaceChanged(conversation=Conversation.IDLE, emotion="sad"),
        SpeechPlayed(played_ms=3),
    ]


def test_it_knows_which_run_of_the_hub_it_shows() -> None:
    tap = Tap(lambda: 1)
    observatory = Observatory(tap)
    tap.started(7)
    assert observatory.boot == 7


def test_there_is_room_for_so_many_and_no_more() -> None:
    observatory = Observatory()
    for _ in range(MOST_OBSERVERS):
        assert not observatory.full
        observatory.join(lambda entry: None)
    assert observatory.full


def test_a_picture_is_shown_where_its_robot_s_consent_is_given() -> None:
    frame = CameraFrame(width=1, height=1)
    views = FakeViews()
    for robot in ("r1", "r2"):
        views.put(a_view(robot, picture=Picture(frame, b"jpeg", 1_000_000)))
    views.put(a_view("r3"))
    observatory = Observatory().showing(views, lambda robot: robot != "r2")
    assert observatory.picture_of("r1", 5_000_000) == (b"jpeg", 4)
    assert [observatory.picture_of(each) for each in ("r2", "r3", "r4")] == [None] * 3
    assert Observatory().picture_of("r1") is None
