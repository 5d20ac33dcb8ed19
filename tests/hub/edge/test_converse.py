"""What a session says, in the words of the legacy wire; times are seconds of a made-up clock."""

from base64 import b64decode, b64encode
from typing import Any

import pytest

from hub.edge.converse import Translator, stage_of, turn_id_of
from hub.edge.converse_frames import Audio, End, Fault, Say, SetProfile, Stop, parse
from hub.edge.converse_ws import hello_from
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    Duck,
    Emotion,
    Error,
    Face,
    Flush,
    Gestures,
    MemoryTags,
    Ping,
    SpeechEnd,
    SpeechFrame,
    ToRobot,
    Transcript,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.session import Attention
from protocols.messages.turn import Outcome

TURN = 42
ID = "00000000002a"


def says(translator: Translator, *messages: ToRobot, at: float = 0.0) -> list[dict[str, Any]]:
    return [out.message for m in messages for out in translator.to_client(m, at)]


def speaks(translator: Translator, samples: int, at: float) -> list[dict[str, Any]]:
    header = SpeechFrame(epoch=1, turn=TURN, first_sample=0, samples=samples)
    return [out.message for out in translator.audio(header, b"\x01\x02" * samples, at)]


def test_a_spoken_turn_has_every_field_in_the_documented_order() -> None:
    hub = Translator()
    hub.utterance_ended(10.0)
    frames = [
        *says(hub, Transcript(utterance=1, text="tell me", final=False), at=10.1),
        *says(hub, Transcript(utterance=1, text="tell me more", final=True), at=10.3),
        *says(hub, TurnBegin(turn=TURN, user_text="tell me more"), at=10.3),
        *says(hub, Face(conversation=Conversation.SPEAKING), at=10.3),
        *says(hub, Emotion(turn=TURN, emotion="happy", intensity=0.8, mood_reason="fun"), at=10.5),
        *says(hub, Gestures(turn=TURN, names=("nod", "spin", "blink")), at=10.5),
        *says(hub, MemoryTags(turn=TURN, tags=({"tag": "bees", "category": "topic"},)), at=10.5),
        *speaks(hub, 320, at=10.75),
        *says(hub, SpeechEnd(turn=TURN, samples=320), at=11.0),
        *says(
            hub,
            TurnEnd(turn=TURN, outcome=Outcome.DONE, response_text="Sure.", heard_text="Sure."),
            at=11.5,
        ),
    ]
    chunk = b64encode(b"\x01\x02" * 160).decode()
    audio = {"type": "audio", "data": chunk, "sample_rate": 16_000, "turn_id": ID}
    assert frames == [
        {"type": "transcription", "text": "tell me more", "turn_id": ID, "stt_latency_ms": 300},
        {
            "type": "emotion", "emotion": "happy", "intensity": 0.8, "turn_id": ID,
            "llm_latency_ms": 200, "mood_reason": "fun",
        },
        {"type": "gestures", "names": ["nod", "blink"]},
        {"type": "memory_tags", "tags": [{"tag": "bees", "category": "topic"}]},
        {"type": "first_audio", "turn_id": ID, "first_audio_ms": 750},
        {**audio, "chunk_index": 0},
        {**audio, "chunk_index": 1},
        {"type": "assistant_text", "text": "Sure."},
        {
            "type": "done", "turn_id": ID, "total_ms": 1500, "llm_latency_ms": 200,
            "first_audio_ms": 750, "tool_call_name": None, "tool_call_ok": None,
            "tool_call_latency_ms": None, "interrupted": False, "heard_text": "Sure.",
        },
        {"type": "listening"},
    ]  # fmt: skip


def test_a_typed_turn_has_no_latency_of_recognition() -> None:
    frames = says(Translator(), TurnBegin(turn=TURN, user_text="hello"), at=5.0)
    assert frames[0]["stt_latency_ms"] == 0


def test_a_turn_that_the_robot_began_has_no_transcription_but_an_emotion() -> None:
    hub = Translator()
    begun = (TurnBegin(turn=TURN), Emotion(turn=TURN, emotion="love", intensity=1.0))
    assert [f["type"] for f in says(hub, *begun)] == ["emotion"]


def test_chunks_are_numbered_through_a_turn_and_from_zero_in_the_next() -> None:
    hub = Translator()
    says(hub, TurnBegin(turn=TURN, user_text="a"))
    indices = [f["chunk_index"] for _ in range(3) for f in speaks(hub, 160, 1.0)[-1:]]
    says(hub, TurnBegin(turn=TURN + 1, user_text="b"))
    header = SpeechFrame(epoch=1, turn=TURN + 1, first_sample=0, samples=160)
    out = hub.audio(header, bytes(320), 2.0)
    assert indices == [0, 1, 2]
    assert [o.message["type"] for o in out] == ["first_audio", "audio"]
    assert out[1].message["chunk_index"] == 0
    assert {o.turn for o in out} == {TURN + 1}


def test_a_last_chunk_may_be_shorter_and_no_sample_is_lost() -> None:
    hub = Translator()
    frames = speaks(hub, 400, 1.0)[1:]
    assert [len(b64decode(f["data"])) for f in frames] == [320, 320, 160]


@pytest.mark.parametrize("outcome", [Outcome.INTERRUPTED, Outcome.CANCELLED, Outcome.SUPERSEDED])
def test_a_cut_turn_is_done_as_interrupted_with_the_words_that_were_heard(
    outcome: Outcome,
) -> None:
    hub = Translator()
    says(hub, TurnBegin(turn=TURN, user_text="a"))
    end = TurnEnd(turn=TURN, outcome=outcome, heard_text="Once", response_text="Once upon a time")
    done, listening = says(hub, end)
    assert (done["type"], done["interrupted"], done["heard_text"]) == ("done", True, "Once")
    assert listening == {"type": "listening"}


def test_a_reopened_turn_is_done_without_a_word_of_listening() -> None:
    hub = Translator()
    says(hub, TurnBegin(turn=TURN, user_text="a"))
    frames = says(hub, TurnEnd(turn=TURN, outcome=Outcome.REOPENED))
    assert [f["type"] for f in frames] == ["done"]


def test_a_turn_without_a_word_is_done_without_audio() -> None:
    hub = Translator()
    says(hub, TurnBegin(turn=TURN, user_text="a"))
    frames = says(hub, TurnEnd(turn=TURN, outcome=Outcome.DONE))
    assert [f["type"] for f in frames] == ["done", "listening"]
    assert frames[0]["first_audio_ms"] is None


@pytest.mark.parametrize(
    ("code", "message", "stage"),
    [
        ("llm_timeout", "LLM timeout", "llm"),
        ("backend_busy", "llm_busy", "llm"),
        ("tts_unavailable", "tts_unavailable", "tts"),
        ("internal_error", "internal_error", "unknown"),
        ("something_new", "something_new", "unknown"),
        ("", "internal_error", "unknown"),
    ],
)
def test_a_failed_turn_is_an_error_twice_and_never_done(
    code: str, message: str, stage: str
) -> None:
    hub = Translator()
    says(hub, TurnBegin(turn=TURN, user_text="a"), at=1.0)
    frames = says(hub, TurnEnd(turn=TURN, outcome=Outcome.FAILED, code=code), at=3.0)
    assert frames == [
        {
            "type": "turn_error", "turn_id": ID, "reason": message, "stage": stage,
            "latency_ms": 2000,
        },
        {"type": "error", "message": message},
        {"type": "listening"},
    ]  # fmt: skip


def test_an_utterance_that_nobody_understood_is_an_error_and_listening_goes_on() -> None:
    for code in ("not_understood", "no_audio", "backend_timeout"):
        hub = Translator()
        hub.utterance_ended(1.0)
        told = (
            Transcript(utterance=1, text="", final=True),
            Error(code=code, message="Could not understand audio"),
        )
        assert says(hub, *told, at=2.0) == [
            {"type": "error", "message": "Could not understand audio"},
            {"type": "listening"},
        ]
        (frame,) = says(hub, TurnBegin(turn=TURN, user_text="typed"), at=60.0)
        assert frame["stt_latency_ms"] == 0


def test_an_error_that_this_wire_has_no_name_for_shows_its_text() -> None:
    assert says(Translator(), Error(code="bad_request", message="text is empty")) == [
        {"type": "error", "message": "text is empty"}
    ]


def test_what_this_wire_has_no_word_for_is_not_said() -> None:
    silent = (Duck(turn=1), Flush(epoch=1, turn=1), Ping(t0_ns=1), Gestures(turn=1, names=()))
    assert says(Translator(), *silent) == []


def test_a_welcome_is_the_first_listening() -> None:
    welcome = Welcome(
        session="s", epoch=1, resumed=False, resume="", hub_id="h", boot=1, order=0, lead_ms=120
    )
    assert says(Translator(), welcome) == [{"type": "listening"}]


def test_a_client_that_has_a_button_of_its_own_is_heard_whatever_the_settings_say() -> None:
    assert hello_from({}).attention is Attention.OPEN


def test_where_the_hub_ends_utterances_thinking_marks_their_end() -> None:
    hub = Translator()
    says(hub, Face(conversation=Conversation.THINKING), at=1.0)
    (frame,) = says(hub, TurnBegin(turn=TURN, user_text="a"), at=1.25)
    assert frame["stt_latency_ms"] == 250
    says(hub, Face(conversation=Conversation.THINKING), at=1.25)
    says(hub, TurnEnd(turn=TURN, outcome=Outcome.DONE), at=9.0)
    (frame,) = says(hub, TurnBegin(turn=TURN + 1, user_text="typed"), at=60.0)
    assert frame["stt_latency_ms"] == 0


def test_turn_ids_are_twelve_hexadecimal_digits() -> None:
    assert turn_id_of(TURN) == ID
    assert len(turn_id_of(2**40)) == 12
    assert stage_of("espeak_exec_failed") == "tts"


@pytest.mark.parametrize(
    ("frame", "meaning"),
    [
        ('{"type": "audio", "data": "AQIDBA=="}', Audio(b"\x01\x02\x03\x04")),
        ('{"type": "audio", "data": ""}', Audio(b"")),
        ('{"type": "end_utterance", "extra": 1}', End()),
        ('{"type": "text", "text": " hi "}', Say("hi")),
        ('{"type": "cancel"}', Stop()),
        ('{"type": "profile", "profile": {"mood": "happy"}}', SetProfile({"mood": "happy"})),
        ('{"type": "text", "text": "  "}', None),
        ('{"type": "config"}', None),
        ('{"no": "type"}', None),
        ('{"type": 5}', None),
    ],
)
def test_what_a_client_sends_is_understood_or_ignored(frame: str, meaning: object) -> None:
    assert parse(frame) == meaning


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[1]",
        b"\x00\x01",
        '{"type": "audio"}',
        '{"type": "audio", "data": 5}',
        '{"type": "audio", "data": "A==="}',
        '{"type": "audio", "data": "*&^%"}',
        '{"type": "audio", "data": "AQID"}',
        '{"type": "audio", "data": "é"}',
        '{"type": "text", "text": {"a": 1}}',
        '{"type": "profile", "profile": "happy"}',
        "[" * 100_000,
    ],
)
def test_what_this_wire_does_not_allow_is_a_fault_with_a_text(frame: str | bytes) -> None:
    fault = parse(frame)
    assert isinstance(fault, Fault)
    assert fault.message
