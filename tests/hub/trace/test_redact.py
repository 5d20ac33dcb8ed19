"""No word of a message survives in a trace that does not record."""

import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.trace.redact import redacted
from protocols.messages import action, robot, session, speech, transcript, turn
from protocols.messages.robot import FromRobot, ToRobot
from protocols.topics import CATALOG
from tests.protocols.strategies import structs

SECRET = "My secret is under the old oak"
ON_THE_WIRE = (*typing.get_args(FromRobot), *typing.get_args(ToRobot))
EVERYTHING = (*(line.message for line in CATALOG.values()), *ON_THE_WIRE)


def telling(kind: Any, text: str) -> Any:
    """A value annotated ``kind`` that says ``text`` wherever it can."""
    if kind is Any:
        return text
    if isinstance(kind, type) and typing.get_origin(kind) is None:
        if issubclass(kind, Enum):
            return next(iter(kind))
        if issubclass(kind, msgspec.Struct):
            hints = typing.get_type_hints(kind)
            return kind(**{f: telling(hints[f], text) for f in kind.__struct_fields__})
        if kind in (str, bytes):
            return text if kind is str else text.encode()
        return kind()
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return (telling(args[0], text),)
    if origin is dict:
        return {text: telling(args[1], text)}
    if origin in (typing.Union, types.UnionType):
        return telling(args[0], text)
    return text


def strings(value: Any) -> Iterator[str]:
    """Every string that people could have written, wherever it stands."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from strings(getattr(value, field))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(key)
            yield from strings(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from strings(inner)


@pytest.mark.parametrize("kind", EVERYTHING, ids=lambda kind: kind.__name__)
def test_no_sentence_survives_in_any_message(kind: type[msgspec.Struct]) -> None:
    kept = redacted(telling(kind, SECRET))
    assert [s for s in strings(kept) if s] == []
    assert type(kept) is kind


@given(st.sampled_from(EVERYTHING).flatmap(structs))
def test_no_long_word_survives_but_names_where_names_belong(message: msgspec.Struct) -> None:
    written = {s for s in strings(message) if len(s) >= 4 and not s.isascii()}
    assert written.isdisjoint(strings(redacted(message)))


@pytest.mark.parametrize(
    "message",
    [
        robot.Text(text="Rosebud"),
        robot.Transcript(utterance=1, text="Rosebud", final=True),
        robot.TurnBegin(turn=1, user_text="Rosebud"),
        robot.SpeechText(
            turn=1, phrase=0, text="Rosebud", words=(speech.WordMark("Rosebud", 1, 2),)
        ),
        robot.Error(code="bad_request", message="Rosebud"),
        robot.World(world={"seen": "Rosebud"}),
        robot.Profile(profile={"mood": "Rosebud"}),
        transcript.TranscriptPartial(utterance=1, text="Rosebud"),
        transcript.TranscriptFinal(utterance=1, text="Rosebud"),
        turn.ResponseDelta(text="Rosebud"),
        turn.ResponseMeta(mood_reason="Rosebud", memory_tags=({"name": "Rosebud"},)),
        turn.TurnStart(
            user_text="Rosebud", history=(turn.Exchange(turn=1, user="Rosebud", robot="Rosebud"),)
        ),
        turn.TurnEnded(
            outcome=turn.Outcome.DONE,
            user_text="Rosebud",
            response_text="Rosebud",
            heard_text="Rosebud",
        ),
        speech.SpeechRequest(phrase=0, text="Rosebud", rate_hz=16_000),
        speech.SpeechPlayed(played_ms=3, heard_text="Rosebud"),
        action.ActionRequested(action="say", params={"text": "Rosebud"}),
    ],
    ids=lambda message: type(message).__name__,
)
def test_not_even_one_word_survives_where_people_speak(message: msgspec.Struct) -> None:
    assert "Rosebud" not in repr(redacted(message))


def test_what_is_no_word_stays() -> None:
    ended = turn.TurnEnded(
        outcome=turn.Outcome.FAILED,
        code="tts_down",
        played_ms=1_200,
        segments=(turn.Segment("endpointing", 1.5),),
        responder="primary",
        fallback="planner_late",
    )
    assert redacted(ended) is ended
    assert redacted(session.SessionStarted(client="robot_sim/0.1")).client == "robot_sim/0.1"
    words = robot.SpeechText(turn=3, phrase=1, text="hi", words=(speech.WordMark("hi", 10, 90),))
    assert redacted(words) == robot.SpeechText(
        turn=3, phrase=1, text="", words=(speech.WordMark("", 10, 90),)
    )


def test_a_token_that_brings_a_conversation_back_is_no_name() -> None:
    hello = robot.Hello(client="a", resume="token-1")
    assert redacted(hello) == robot.Hello(client="a")
