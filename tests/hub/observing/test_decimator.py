"""What an observer is told, and what happens to the rest."""

import msgspec
import pytest

from hub.observing.decimator import MOST_AT_ONCE, MOST_WAITING, Decimator
from hub.trace.entries import Closed, Command, Entry, Fact, Said, SpeechOut, Told
from protocols.envelope import Message
from protocols.messages.agent import AgentHeartbeat, AgentProgress
from protocols.messages.chat import ChatDelta
from protocols.messages.face import Conversation, FaceChanged
from protocols.messages.robot import Cancel, Hello, Transcript, Welcome, World
from protocols.messages.speech import SpeechPlayed, SpeechRequest
from protocols.messages.transcript import TranscriptFinal, TranscriptPartial
from protocols.messages.turn import Outcome, TurnEnded
from protocols.topics import topic_name

SECRET = "my name is Mia"


def fact(body: Message, n: int = 1, robot: str = "r1", **header: int | str) -> Fact:
    topic = topic_name(type(body))
    return Fact(n=n, t_ns=n, topic=topic, body=body, robot=robot, **header)  # type: ignore[arg-type]


def test_of_a_state_only_the_newest_value_is_told() -> None:
    seen = Decimator()
    for n, mood in enumerate(("happy", "sad", "sleepy"), 1):
        seen.put(fact(FaceChanged(conversation=Conversation.IDLE, emotion=mood), n))
    seen.put(fact(FaceChanged(conversation=Conversation.IDLE, emotion="angry"), 9, robot="r2"))
    told = seen.take().states
    assert [(e.robot, e.body.emotion) for e in told if isinstance(e, Fact)] == [  # type: ignore[union-attr]
        ("r1", "sleepy"), ("r2", "angry"),
    ]  # fmt: skip
    assert not seen


def test_what_happens_is_told_in_order_and_once() -> None:
    seen = Decimator("r1")
    seen.put(fact(TranscriptPartial(utterance=1, text="hello"), 1))
    seen.put(fact(TranscriptFinal(utterance=1, text="hello you"), 2))
    assert [entry.n for entry in seen.take().happenings] == [1, 2]
    assert seen.take().happenings == []


def test_an_observer_that_is_not_emptied_loses_the_oldest_and_is_told_how_many() -> None:
    seen = Decimator()
    for n in range(MOST_WAITING + 30):
        seen.put(fact(TurnEnded(outcome=Outcome.DONE), n))
    first = seen.take()
    assert first.dropped == 30
    assert [entry.n for entry in first.happenings] == list(range(30, 30 + MOST_AT_ONCE))
    assert seen
    assert seen.take().happenings[-1].n == MOST_WAITING + 29
    assert not seen


def test_from_afar_only_what_a_turn_came_to_is_told() -> None:
    afar, close = Decimator(), Decimator("r1")
    for seen in (afar, close):
        seen.put(fact(TranscriptPartial(utterance=1, text="hello"), 1))
        seen.put(fact(TurnEnded(outcome=Outcome.DONE), 2))
        seen.put(fact(TranscriptPartial(utterance=1, text="I am another"), 3, robot="r2"))
        seen.put(Said(n=4, t_ns=4, robot="r1", epoch=1, connection=1, body=Cancel()))
    assert [entry.n for entry in afar.take().happenings] == [2]
    assert [entry.n for entry in close.take().happenings] == [1, 2, 4]


@pytest.mark.parametrize(
    "entry",
    [
        fact(TranscriptFinal(utterance=1, text=SECRET)),
        fact(TurnEnded(outcome=Outcome.DONE, user_text=SECRET, heard_text=SECRET)),
        fact(SpeechPlayed(played_ms=1, heard_text=SECRET)),
    ],
)
def test_who_may_not_hear_is_told_no_words(entry: Entry) -> None:
    hears, watches = Decimator("r1", words=True), Decimator("r1")
    for seen in (hears, watches):
        seen.put(entry)
    assert SECRET.encode() in msgspec.json.encode(hears.take())
    assert SECRET.encode() not in msgspec.json.encode(watches.take())


@pytest.mark.parametrize(
    "entry",
    [
        fact(ChatDelta(text=SECRET), job=7),
        fact(TranscriptFinal(utterance=1, text=SECRET), job=7),
        Command(
            n=1, t_ns=1, topic="speech.request", peer="tts", robot="r1",
            body=SpeechRequest(phrase=0, text=SECRET, rate_hz=16_000),
        ),
        Said(n=1, t_ns=1, robot="r1", epoch=1, connection=1, body=World(world={"note": SECRET})),
        Said(n=1, t_ns=1, robot="r1", epoch=1, connection=1, body=Hello(resume=SECRET)),
        Told(
            n=1, t_ns=1, robot="r1", epoch=1, connection=1,
            body=Welcome(
                session="s", epoch=1, resumed=False, resume=SECRET, hub_id="h", boot=1, order=0, lead_ms=1,
            ),
        ),
        SpeechOut(
            n=1, t_ns=1, robot="r1", epoch=1, connection=1, frame_epoch=1, turn=1,
            first_sample=0, samples=7, pcm=SECRET.encode(),
        ),
    ],
)  # fmt: skip
def test_words_of_programs_and_orders_and_secrets_are_told_to_nobody(entry: Entry) -> None:
    for of in ("", "r1"):
        seen = Decimator(of, words=True)
        seen.put(entry)
        assert SECRET.encode() not in msgspec.json.encode(seen.take())


def test_of_a_robot_s_world_numbers_names_and_counts_are_told() -> None:
    seen = Decimator()
    world = {
        "battery_mv": 7400, "mode": "drive", "power": {"soc_pct": 9, "source": SECRET},
        "faults": [SECRET], "recent_events": [SECRET], "trigger": SECRET,
    }  # fmt: skip
    seen.put(Said(n=1, t_ns=1, robot="r1", epoch=1, connection=1, body=World(world=world)))
    (told,) = seen.take().states
    assert isinstance(told, Said)
    shown = {"battery_mv": 7400, "mode": "drive", "power": {"soc_pct": 9}, "faults": 1}
    assert told.body == World(world=shown)
    seen.put(
        Said(n=2, t_ns=2, robot="r1", epoch=1, connection=1, body=World(world={"mode": SECRET}))
    )
    (told,) = seen.take().states
    assert isinstance(told, Said)
    assert told.body == World(world={})


def test_ids_are_exact_in_every_reader_of_json() -> None:
    seen = Decimator("r1")
    seen.put(fact(TurnEnded(outcome=Outcome.DONE), id=2**62 + 5, cause=2**62 + 7))
    (told,) = seen.take().happenings
    assert isinstance(told, Fact)
    assert (told.id, told.cause) == (5, 7)


def test_beats_of_agents_are_not_told_and_progress_is_a_state() -> None:
    seen = Decimator("r1")
    seen.put(fact(AgentHeartbeat(active=1), robot="", src="tts-primary"))
    assert not seen
    for done in (1.0, 2.0):
        progress = AgentProgress(step="loading", done=done, total=4.0)
        seen.put(fact(progress, robot="", src="tts-primary"))
    (told,) = seen.take().states
    assert isinstance(told, Fact)
    assert told.body == AgentProgress(step="loading", done=2.0, total=4.0)


def test_comings_and_goings_of_others_are_not_told_to_who_watches_one() -> None:
    gone = Closed(n=1, t_ns=1, robot="r2", epoch=1, connection=2, code=1000)
    afar, close = Decimator(), Decimator("r1")
    afar.put(gone)
    close.put(gone)
    assert afar.take().happenings == [gone]
    assert close.take().happenings == []


def test_what_the_hub_says_to_a_robot_is_not_told_twice() -> None:
    """A transcript is a fact already."""
    seen = Decimator("r1", words=True)
    body = Transcript(utterance=1, text="hello", final=True)
    seen.put(Told(n=1, t_ns=1, robot="r1", epoch=1, connection=1, body=body))
    assert not seen
