"""The ``/converse`` wire: JSON with base64, as existing supervisors speak it. Pure translation.

A turn is, in this order: transcription, emotion, gestures, memory_tags, first_audio, audio…,
assistant_text, done, listening; or, where it fails, turn_error, error, listening. ``turn_id`` is
the hub's turn number in 12 hexadecimal digits.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    Emotion,
    Error,
    Face,
    Gestures,
    MemoryTags,
    SpeechFrame,
    ToRobot,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.turn import Outcome
from protocols.vocabulary import FACE_GESTURES

CHUNK_BYTES = 320
"""10 ms of 16 kHz."""
MAX_BUFFER_BYTES = 960_000
"""30 s: what a client may say before it ends its utterance."""

NOT_UNDERSTOOD = "Could not understand audio"
NO_AUDIO = "No audio received"
OVERFLOW = "audio_buffer_overflow"

_MESSAGES = {
    "backend_busy": "llm_busy",
    "llm_busy": "llm_busy",
    "planner_busy": "llm_busy",
    "backend_timeout": "LLM timeout",
    "llm_timeout": "LLM timeout",
    "planner_timeout": "LLM timeout",
    "tts_busy": "tts_busy_no_fallback",
    "tts_busy_no_fallback": "tts_busy_no_fallback",
    "tts_unavailable": "tts_unavailable",
    "internal_error": "internal_error",
}
"""What a client of this wire calls an error code of the hub."""

_STT_FAILED = frozenset({"not_understood", "no_audio", "stt_timeout"})
"""An utterance came to nothing. One without any audio never leaves the edge, so to this wire
``no_audio`` means that there was no speech in it."""

Json = dict[str, Any]


@dataclass
class Progress:
    """Where the current turn is. Times are seconds of the hub's monotonic clock."""

    turn: int = 0
    utterance_ended_s: float = 0.0
    began_s: float = 0.0
    stt_ms: int = 0
    llm_ms: int | None = None
    first_audio_ms: int | None = None
    chunks: int = 0
    finished: bool = True
    pending_end_s: float | None = None
    """When the utterance ended that no turn has answered yet."""


class Out(NamedTuple):
    """A frame to send. ``turn`` is set for audio, which a cut may still take back."""

    message: Json
    turn: int = 0


@dataclass
class Translator:
    """From what a session tells its robot to what a ``/converse`` client expects."""

    progress: Progress = field(default_factory=Progress)

    @property
    def in_turn(self) -> bool:
        """A turn has begun and has not ended."""
        return not self.progress.finished

    def utterance_ended(self, now_s: float) -> None:
        """The user stopped speaking, as far as anybody knows."""
        self.progress.pending_end_s = now_s

    def to_client(self, message: ToRobot, now_s: float) -> list[Out]:
        """The frames that say ``message``; none where this wire has no word for it."""
        match message:
            case Welcome():
                return [_listening()]
            case Face(conversation=Conversation.THINKING):
                if self.progress.pending_end_s is None and not self.in_turn:
                    self.utterance_ended(now_s)
                return []
            case Error(code=code, message=text) if code in _STT_FAILED or text == NOT_UNDERSTOOD:
                self.progress.pending_end_s = None
                return [_error(NOT_UNDERSTOOD), _listening()]
            case TurnBegin():
                return self._begin(message, now_s)
            case Emotion(turn=0):
                return []  # its clients know of feelings in answers alone
            case Emotion():
                return self._emotion(message, now_s)
            case TurnEnd():
                return self._end(message, now_s)
            case _:
                return _stateless(message)

    def audio(self, header: SpeechFrame, pcm: bytes, now_s: float) -> list[Out]:
        """Speech as 10 ms chunks, numbered through the turn."""
        at, turn_id = self.progress, turn_id_of(header.turn)
        out: list[Out] = []
        if header.turn != at.turn:
            self._start(header.turn, now_s)
        if at.chunks == 0:
            at.first_audio_ms = _ms(now_s - at.utterance_ended_s)
            first = {"type": "first_audio", "turn_id": turn_id, "first_audio_ms": at.first_audio_ms}
            out.append(Out(first, header.turn))
        for start in range(0, len(pcm), CHUNK_BYTES):
            out.append(
                Out(
                    {
                        "type": "audio",
                        "data": b64encode(pcm[start : start + CHUNK_BYTES]).decode(),
                        "sample_rate": MIC_RATE_HZ,
                        "chunk_index": at.chunks,
                        "turn_id": turn_id,
                    },
                    header.turn,
                )
            )
            at.chunks += 1
        return out

    def _start(self, turn: int, now_s: float) -> None:
        at = self.progress
        ended_s = at.pending_end_s
        at.turn, at.began_s = turn, now_s
        at.utterance_ended_s = now_s if ended_s is None else ended_s
        at.stt_ms = _ms(now_s - at.utterance_ended_s)
        at.llm_ms = at.first_audio_ms = at.pending_end_s = None
        at.chunks = 0
        at.finished = False

    def _begin(self, message: TurnBegin, now_s: float) -> list[Out]:
        self._start(message.turn, now_s)
        if not message.user_text:
            return []
        return [
            Out(
                {
                    "type": "transcription",
                    "text": message.user_text,
                    "turn_id": turn_id_of(message.turn),
                    "stt_latency_ms": self.progress.stt_ms,
                }
            )
        ]

    def _emotion(self, message: Emotion, now_s: float) -> list[Out]:
        at = self.progress
        if at.llm_ms is None:
            at.llm_ms = _ms(now_s - at.began_s)
        frame = {
            "type": "emotion",
            "emotion": message.emotion,
            "intensity": message.intensity,
            "turn_id": turn_id_of(message.turn),
            "llm_latency_ms": at.llm_ms,
        }
        if message.mood_reason:
            frame["mood_reason"] = message.mood_reason
        return [Out(frame)]

    def _end(self, message: TurnEnd, now_s: float) -> list[Out]:
        self.progress.finished = True
        total_ms = _ms(now_s - self.progress.utterance_ended_s)
        if message.outcome is Outcome.FAILED:
            return [*_failure(message, total_ms), _listening()]
        done = self._done(message, total_ms)
        if message.outcome is Outcome.REOPENED:
            # The user goes on speaking: the turn that follows answers all of it.
            return [done]
        if message.outcome is Outcome.DONE and message.response_text:
            text = {"type": "assistant_text", "text": message.response_text}
            return [Out(text), done, _listening()]
        return [done, _listening()]

    def _done(self, message: TurnEnd, total_ms: int) -> Out:
        at = self.progress
        return Out(
            {
                "type": "done",
                "turn_id": turn_id_of(message.turn),
                "total_ms": total_ms,
                "llm_latency_ms": at.llm_ms or 0,
                "first_audio_ms": at.first_audio_ms,
                "tool_call_name": None,
                "tool_call_ok": None,
                "tool_call_latency_ms": None,
                "interrupted": message.outcome is not Outcome.DONE,
                "heard_text": message.heard_text,
            }
        )


def _stateless(message: ToRobot) -> list[Out]:
    match message:
        case Gestures(names=names):
            faces = [name for name in names if name in FACE_GESTURES]
            return [Out({"type": "gestures", "names": faces})] if faces else []
        case MemoryTags(tags=tags):
            return [Out({"type": "memory_tags", "tags": list(tags)})] if tags else []
        case Error(code=code, message=text):
            return [_error(_MESSAGES.get(code, text or code))]
        case _:
            return []


def turn_id_of(turn: int) -> str:
    """A turn's id on this wire."""
    return f"{turn:012x}"


def _failure(message: TurnEnd, latency_ms: int) -> list[Out]:
    code = message.code or "internal_error"
    shown = _MESSAGES.get(code, code)
    error = {
        "type": "turn_error",
        "turn_id": turn_id_of(message.turn),
        "reason": shown,
        "stage": stage_of(code),
        "latency_ms": latency_ms,
    }
    return [Out(error), _error(shown)]


def stage_of(code: str) -> str:
    """Which part of a turn an error code belongs to: ``llm``, ``tts`` or ``unknown``."""
    if code.startswith(("llm", "planner", "backend_")):
        return "llm"
    return "tts" if code.startswith(("tts", "espeak", "orpheus", "speech")) else "unknown"


def _listening() -> Out:
    return Out({"type": "listening"})


def _error(message: str) -> Out:
    return Out({"type": "error", "message": message})


def error_frame(message: str) -> Json:
    """An error of this wire."""
    return {"type": "error", "message": message}


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
