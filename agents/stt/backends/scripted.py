"""A recogniser that is told what it hears: by marks in the sound, else by a table."""

from collections.abc import AsyncGenerator, Iterator, Sequence

from agents.runtime.errors import AgentError
from agents.stt.backends.base import Asked, Hypothesis, Transcript, Understood, main_language
from agents.stt.recorded import ms_of, spread
from protocols.marks import find_marks
from protocols.messages.transcribe import TranscribeSegment


class ScriptedRecogniser:
    """The text of an utterance is what its marks say (``protocols/marks.py``).

    Sound without text in it gets the session's next line of ``script``, and when that is used up,
    nothing. A text that begins with ``!`` fails with the code that follows it. The words of a text
    come one by one as sound is fed; they never change. Each mark of a recording begins a stretch of
    it; a recording without text in it is the first line of ``script``.
    """

    name = "scripted"
    capacity = 1_000

    def __init__(self, script: Sequence[str] = (), model: str = "") -> None:
        self.model = model
        self._script = tuple(script)

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def stream(self, language: str) -> "ScriptedStream":
        return ScriptedStream(language, iter(self._script))

    async def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """See ``Transcribing``; temperature and prompt change nothing."""
        marked = [(2 * mark.sample, mark.text) for mark in find_marks(pcm) if mark.text]
        stretches = marked or [(0, line) for line in self._script[:1] if line]
        ends = [*(start for start, _ in stretches), len(pcm)][1:]
        for (start, text), end in zip(stretches, ends, strict=True):
            if text.startswith("!"):
                raise AgentError(f"scripted to fail with {text[1:]}", text[1:])
            start_ms, end_ms = ms_of(start), ms_of(end)
            yield TranscribeSegment(
                start_ms=start_ms,
                end_ms=end_ms,
                text=text,
                words=spread(text.split(), start_ms, end_ms) if asked.words else (),
                confidence=1.0,
            )
        language = "en" if asked.translate else asked.language
        text = " ".join(text for _, text in stretches)
        yield Understood(text, language, 1.0 if text else 0.0, 1.0 if language else -1.0)


class ScriptedStream:
    """See ``Stream``."""

    def __init__(self, language: str, lines: Iterator[str]) -> None:
        self._language = language if main_language(language) else ""
        self._lines = lines
        self._heard = bytearray()
        self._fed = 0

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        self._heard += pcm
        words = self._marked().split()
        if not words or words[0].startswith("!"):
            return None
        self._fed += 1
        text = " ".join(words[: self._fed])
        return Hypothesis(text, len(text))

    async def finish(self) -> Transcript:
        text = self._marked() or next(self._lines, "")
        await self.reset()
        if text.startswith("!"):
            raise AgentError(f"scripted to fail with {text[1:]}", text[1:])
        return Transcript(text, self._language, 1.0 if text else 0.0)

    async def reset(self) -> None:
        self._heard.clear()
        self._fed = 0

    async def close(self) -> None:
        """Nothing to give back."""

    def _marked(self) -> str:
        return " ".join(mark.text for mark in find_marks(bytes(self._heard)) if mark.text)
