"""espeak-ng in this process, by ctypes (speak_lib.h of espeak-ng 1.52).

The library keeps its state in C globals: there is one engine per process and one text at a time.
A call runs in a thread; ctypes gives up the GIL for it, but for the callback.
"""

import ctypes
import threading
from functools import cache
from typing import Any, NamedTuple, Protocol

from agents.runtime.errors import BackendUnavailable

WORD, PHONEME = 1, 7
"""Types of the events that are used; a list of events ends with type 0."""

_BUFFER_MS = 200
"""Audio per callback. Each one takes the GIL, which a busy loop lets go of only every 5 ms; and 200 ms
of audio are made in a fifth of a millisecond."""
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INIT_PHONEME_EVENTS, _INIT_PHONEME_IPA, _INIT_DONT_EXIT = 0x0001, 0x0002, 0x8000
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_CHARS_UTF8 = 1
_POS_CHARACTER = 1


class _EventId(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Voicing(NamedTuple):
    """Settings of one text. ``voices`` are tried in order; the last one that exists is kept."""

    voices: tuple[str, ...]
    rate_wpm: int
    volume: int
    pitch: int
    range: int


class Listener(Protocol):
    """What hears a text being spoken. Called on the engine's thread."""

    def is_stale(self) -> bool:
        """Whether nobody listens any more."""

    def hear(self, pcm: bytes, events: list["SpokenEvent"]) -> None:
        """A buffer of audio, and the events whose samples lie in it or at its end."""


class SpokenEvent(NamedTuple):
    """A word or phoneme begins. ``position`` counts characters of the text from 0, ``sample``
    those of its audio; ``phoneme`` is IPA, empty for a pause."""

    type: int
    position: int
    sample: int
    phoneme: str


class EspeakEngine:
    """The engine; take it from :func:`engine`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        self._voices: tuple[str, ...] = ()
        self._lib, data = _load()
        flags = _INIT_PHONEME_EVENTS | _INIT_PHONEME_IPA | _INIT_DONT_EXIT
        self.rate_hz = self._lib.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, data.encode(), flags
        )
        if self.rate_hz <= 0:
            raise BackendUnavailable(f"espeak-ng does not start with its data in {data}")
        # The library keeps the pointer, so the callback must live as long as the engine.
        self._callback = _Callback(self._on_audio)
        self._lib.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voicing: Voicing, listener: Listener) -> None:
        """Speak ``text`` to ``listener``, faster than real time; return when it is spoken or
        ``listener`` is stale, at the latest one buffer after it became so."""
        encoded = text.encode(errors="replace").replace(b"\0", b" ")
        with self._lock:
            if listener.is_stale():
                return
            self._apply(voicing)
            self._listener = listener
            try:
                self._lib.espeak_Synth(
                    encoded, len(encoded) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
                )
            finally:
                self._listener = None

    def _apply(self, voicing: Voicing) -> None:
        if voicing.voices != self._voices:
            for voice in voicing.voices:
                if self._lib.espeak_SetVoiceByName(voice.encode()) == 0:
                    break
            self._voices = voicing.voices
        for parameter, value in (
            (_RATE, voicing.rate_wpm),
            (_VOLUME, voicing.volume),
            (_PITCH, voicing.pitch),
            (_RANGE, voicing.range),
        ):
            self._lib.espeak_SetParameter(parameter, value, 0)

    def _on_audio(self, wav: Any, samples: int, events: Any) -> int:
        listener = self._listener
        if listener is None or listener.is_stale():
            return 1
        pcm = ctypes.string_at(wav, samples * 2) if wav and samples > 0 else b""
        listener.hear(pcm, _events(events))
        return 0


def _events(raw: Any) -> list[SpokenEvent]:
    found = []
    index = 0
    while raw and raw[index].type != 0:
        event = raw[index]
        index += 1
        if event.type == WORD:
            found.append(SpokenEvent(WORD, event.text_position - 1, event.sample, ""))
        elif event.type == PHONEME:
            name = event.id.string.decode(errors="replace")
            found.append(SpokenEvent(PHONEME, event.text_position - 1, event.sample, name))
    return found


def _load() -> tuple[ctypes.CDLL, str]:
    try:
        import espeakng_loader

        return ctypes.CDLL(espeakng_loader.get_library_path()), espeakng_loader.get_data_path()
    except (ImportError, OSError) as error:
        raise BackendUnavailable(f"espeak-ng cannot be loaded: {error}") from error


@cache
def engine() -> EspeakEngine:
    """This process's engine, started by the first call (a few milliseconds).

    Raises:
        BackendUnavailable: the library or its data are missing.
    """
    return EspeakEngine()
