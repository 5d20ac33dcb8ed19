"""Kokoro as a voice: a small neural model by onnxruntime, a clause at a time, from one thread.

Model: hexgrad/Kokoro-82M (Apache-2.0) as exported to ONNX: ``tokens`` (or ``input_ids``) [1, n],
``style`` [1, 256] and ``speed`` [1] in; audio at 24 kHz out, and from some exports ``duration``, the
frames of every token. Its phonemes come from espeak-ng.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agents.runtime.errors import AgentError, BackendUnavailable
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.backends.espeak_phonemes import phonemes_of
from agents.tts.kokoro_tokens import MAX_TOKENS, PAD, VOCABULARY, Tokens, marks_of, tokens_of
from agents.tts.prosody import NEUTRAL, Prosody
from agents.tts.speakable import in_clauses
from agents.tts.tempo import Share, at_tempo, shared

RATE_HZ = 24_000
FIRST_CHARS, PIECE_CHARS = 40, 100
"""A piece is made as a whole, so the first one is short, and no other takes longer to make than
those before it take to be heard."""
MIN_SPEED, MAX_SPEED = 0.5, 2.0
STYLE = 256
"""Numbers in a style vector."""
QUIET = 0.005
"""Share of full scale below which a sample is silence."""
HEAD_MS, TAIL_MS = 20, 250
"""Silence that is kept around a piece; the model makes more of it."""

LANGUAGES: Mapping[str, str] = {
    "a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "j": "ja",
    "p": "pt-br", "z": "cmn",
}  # fmt: skip
"""Language, by espeak-ng's name, of the voices whose name begins with a letter."""
_ISO = {"z": "zh"}

VOCABULARY_KEY = "kokoro_config"
"""Metadata of newer exports: the model's ``config.json``."""

Part = Sound | Marks


class _Config(msgspec.Struct):
    vocab: dict[str, int]


class _Model(NamedTuple):
    session: Any
    token_input: str
    types: Mapping[str, str]
    has_durations: bool
    vocabulary: Mapping[str, int]
    styles: Mapping[str, Any]


class KokoroVoice:
    """Speaks with the voice ``voice`` of ``voices`` (a file of all, or a directory of files), or with one that a phrase asks for.

    The pieces of all responses wait in one queue. Closing a phrase takes its waiting piece out of
    it; one that is being made is finished and thrown away. ``threads``: of one inference, 0 for all.
    """

    name = "kokoro"
    rate_hz = RATE_HZ
    capacity = 4

    def __init__(
        self,
        model: Path,
        voices: Path,
        voice: str = "af_heart",
        speed: float = 1.0,
        threads: int = 0,
    ) -> None:
        self._files = model, voices
        self._voice = voice
        self._speed = speed
        self._threads = threads
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kokoro")
        self._model: _Model | None = None

    async def start(self) -> None:
        """Load model and voices, and speak a word.

        Raises:
            BackendUnavailable: a file or library is missing, or not what it should be.
        """
        loop = asyncio.get_running_loop()
        model = await loop.run_in_executor(self._thread, _load, *self._files, self._threads)
        if self._voice not in model.styles:
            raise BackendUnavailable(f"{self._files[1]} has no voice {self._voice}")
        self._model = model
        try:
            await self._test()
        except AgentError as error:
            self._model = None
            raise BackendUnavailable(f"{self._files[0]}: {error}") from error

    async def _test(self) -> None:
        spoken = [part async for part in self.speak("ready", NEUTRAL, "en", "")]
        if not any(isinstance(part, Sound) and any(part.pcm) for part in spoken):
            raise AgentError("it makes no sound")

    async def close(self) -> None:
        """End the thread and free the model."""
        self._model = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Part, None]:
        """See ``Voice``. It goes on while it is ahead: what it makes next takes its time.

        Raises:
            BackendUnavailable: it is not loaded.
            AgentError: ``tts_failed``; the model fails at this text.
        """
        model = self._model
        rate = self._speed * prosody.rate
        share = shared(rate, prosody.speed, MIN_SPEED, MAX_SPEED)
        if model is not None and "int" in model.types["speed"]:
            share = Share(rate, prosody.speed)  # it knows whole speeds only
        spoken = self._spoken(text, prosody.volume, language, voice, share.rate)
        return at_tempo(spoken, share.stretch, RATE_HZ)

    async def _spoken(
        self, text: str, volume: float, language: str, voice: str, speed: float
    ) -> AsyncGenerator[Part, None]:
        model = self._model
        if model is None:
            raise BackendUnavailable("kokoro is not loaded")
        name = voice_name(voice, language, self._voice, tuple(model.styles))
        loop = asyncio.get_running_loop()
        first_sample = 0
        for piece in in_clauses(text, FIRST_CHARS, PIECE_CHARS):
            pcm, marks = await loop.run_in_executor(
                self._thread, _make, model, piece, name, speed, volume
            )
            yield marks.later(first_sample * 1000 // RATE_HZ)
            if pcm:
                yield Sound(pcm, RATE_HZ)
            first_sample += len(pcm) // 2


def voice_name(asked: str, language: str, usual: str, names: tuple[str, ...]) -> str:
    """Which of ``names`` speaks: the one asked for, the usual one if it speaks ``language`` (a tag
    as ``en-GB``), the first one that does, the usual one."""
    if asked in names:
        return asked
    wanted = language.lower()
    fitting = [
        [n for n in names if LANGUAGES.get(n[:1]) == wanted],
        [n for n in names if _iso(n) == wanted.partition("-")[0]],
    ]
    for candidates in fitting:
        if usual in candidates:
            return usual
        if candidates:
            return candidates[0]
    return usual


def _iso(name: str) -> str:
    letter = name[:1]
    return _ISO.get(letter, LANGUAGES.get(letter, "").partition("-")[0])


def _load(model: Path, voices: Path, threads: int) -> _Model:
    """Blocking."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendUnavailable(f"onnxruntime cannot be imported: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # it warns of optimisations that it leaves out
    try:
        session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        styles = _styles(voices)
    except Exception as error:
        # onnxruntime's errors have no common class, and numpy raises what the file makes it raise.
        raise BackendUnavailable(f"kokoro cannot be loaded: {error}") from error
    types = {each.name: each.type for each in session.get_inputs()}
    outputs = [each.name for each in session.get_outputs()]
    token_input = "input_ids" if "input_ids" in types else "tokens"
    if not {token_input, "style", "speed"} <= set(types):
        raise BackendUnavailable(f"{model} is no Kokoro model: its inputs are {', '.join(types)}")
    if any(style.ndim < 2 or not len(style) for style in styles.values()):
        raise BackendUnavailable(f"{voices} holds no Kokoro voices")
    return _Model(
        session, token_input, types, "duration" in outputs[1:2], _vocabulary(session), styles
    )


def _styles(voices: Path) -> dict[str, Any]:
    """Style vectors by the name of their voice: row n - 1 is for n tokens."""
    import numpy as np

    if voices.is_dir():
        files = sorted(voices.glob("*.bin"))
        return {f.stem: np.fromfile(f, np.float32).reshape(-1, 1, STYLE) for f in files}
    with np.load(voices, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _vocabulary(session: Any) -> Mapping[str, int]:
    """The one that the model was exported with, else that of the first models."""
    config = session.get_modelmeta().custom_metadata_map.get(VOCABULARY_KEY)
    if not config:
        return VOCABULARY
    try:
        return msgspec.json.decode(config, type=_Config).vocab
    except msgspec.DecodeError as error:
        raise BackendUnavailable(
            f"the model's {VOCABULARY_KEY} is not readable: {error}"
        ) from error


def _make(model: _Model, text: str, voice: str, speed: float, volume: float) -> tuple[bytes, Marks]:
    """Blocking: audio of a piece (s16le) and when its words sound in it."""
    import numpy as np

    language = LANGUAGES.get(voice[:1], "en-us")
    words = phonemes_of(text, language)
    tokens = tokens_of(words, language, model.vocabulary)
    if len(tokens.ids) > MAX_TOKENS and len(words) > 1:
        return _make_halves(model, text.split(), voice, speed, volume)
    if not tokens.sounds:
        return b"", marks_of(words, tokens, [0] * (len(tokens.ids) + 1))
    audio, durations = _infer(model, tokens, voice, speed)
    first, last = _sounding(audio)
    if durations is None or len(durations) != len(tokens.ids) + 2:
        # Every symbol equally long, from the first sound to the last; what follows is silent.
        sounding = max(span[1] for span in tokens.spans if span is not None)
        edges = np.full(len(tokens.ids) + 1, float(last))
        edges[: sounding + 1] = np.linspace(first, last, sounding + 1)
    else:
        frames = np.concatenate([[0], np.cumsum(durations)])
        edges = (frames * (len(audio) / max(1, frames[-1])))[1:-1]
    head = max(0, first - RATE_HZ * HEAD_MS // 1000)
    tail = min(len(audio), last + RATE_HZ * TAIL_MS // 1000)
    edges_ms = np.clip(edges - head, 0, tail - head) * 1000 // RATE_HZ
    sound = np.clip(audio[head:tail] * volume, -1.0, 1.0) * np.float32(32_767)
    return sound.astype("<i2").tobytes(), marks_of(words, tokens, edges_ms.astype(int).tolist())


def _make_halves(
    model: _Model, words: list[str], voice: str, speed: float, volume: float
) -> tuple[bytes, Marks]:
    """A piece that is too long to be spoken as one: numbers are, when they are read out."""
    half = len(words) // 2
    pcm, marks = _make(model, " ".join(words[:half]), voice, speed, volume)
    more_pcm, more = _make(model, " ".join(words[half:]), voice, speed, volume)
    more = more.later(len(pcm) // 2 * 1000 // RATE_HZ)
    return pcm + more_pcm, Marks(marks.words + more.words, marks.visemes + more.visemes)


def _infer(model: _Model, tokens: Tokens, voice: str, speed: float) -> tuple[Any, Any]:
    """Audio (±1) and, where the model tells them, the frames of every token and of the padding."""
    import numpy as np

    styles = model.styles[voice]
    style = styles[min(len(tokens.ids), len(styles)) - 1].reshape(1, -1)
    whole = "int" in model.types["speed"]
    inputs = {
        model.token_input: np.array([[PAD, *tokens.ids, PAD]], _type_of(model, model.token_input)),
        "style": style.astype(np.float32),
        "speed": np.array([max(1, round(speed)) if whole else speed], _type_of(model, "speed")),
    }
    try:
        outputs = model.session.run(None, inputs)
    except Exception as error:
        raise AgentError(f"kokoro: {error}", "tts_failed") from error
    audio = np.asarray(outputs[0], np.float32).ravel()
    return np.nan_to_num(audio), np.asarray(outputs[1]).ravel() if model.has_durations else None


def _type_of(model: _Model, name: str) -> str:
    return {"tensor(int32)": "int32", "tensor(int64)": "int64"}.get(model.types[name], "float32")


def _sounding(audio: Any) -> tuple[int, int]:
    """The first sample that is no silence, and the one after the last."""
    import numpy as np

    loud = np.flatnonzero(np.abs(audio) > QUIET)
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(audio))
