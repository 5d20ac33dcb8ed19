"""Any server with the OpenAI transcription API (``POST /v1/audio/transcriptions``): a whole
utterance goes up as a WAV file, its text comes down. Partials are transcripts of what there is of
the utterance so far; words that two of them agree on are stable."""

import asyncio
import io
import re
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple

import httpx
import msgspec
import structlog

from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable
from agents.stt.backends.base import (
    Asked,
    EngineRefuses,
    Hypothesis,
    Transcript,
    Understood,
    main_language,
)
from agents.stt.backends.languages import code_of
from agents.stt.backends.openai_recordings import form_of, path_of, told_by
from agents.stt.backends.sureness import Segment, transcript_of
from agents.stt.recorded import ms_of
from agents.stt.stable import Agreement, agree, settle
from protocols.messages.transcribe import TranscribeSegment

CONNECT_S = 3.0
LIST_S = 10.0
"""How long the list of models may take."""
KEPT_OPEN_S = 30.0
"""How long an idle connection is kept, so that the next sentence need not open one."""
REQUESTS_AT_ONCE = 8
PARTIALS_AT_ONCE = 4
RECORDINGS_AT_ONCE = 2
"""Beside the requests for utterances, which never wait for them."""
SESSIONS_PER_REQUEST = 8
"""Most sessions are silent most of the time."""
RATE_HZ = 16_000
SAMPLE_BYTES = 2
PARTIAL_STEP_BYTES = RATE_HZ * SAMPLE_BYTES
"""New sound, a second, after which the utterance is transcribed again."""
SHORTEST_BYTES = RATE_HZ * SAMPLE_BYTES // 10
"""Servers refuse less than a tenth of a second."""
MAX_ANSWER_BYTES = 1 << 20
MAX_ERROR_CHARS = 300
USUAL_MODEL = "whisper-1"
FILE_NAME = "utterance.wav"
"""Servers go by its ending."""

_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/\S*)?")
_NO_LIST = frozenset({403, 404, 405, 501})
_REFUSED_FORMAT = frozenset({400, 415, 422, 501})
"""Answers of servers and models that do not know ``verbose_json``."""

log = structlog.get_logger(__name__)


class Server(NamedTuple):
    """Where a model is and how it is asked. ``model`` empty: chosen from the server's list."""

    base_url: str
    model: str = ""
    api_key: str = ""
    timeout_s: float = 8.0
    partials: bool = True


class _Segment(msgspec.Struct):
    text: str = ""
    tokens: Any = None
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    segments: list[_Segment] | None = None


class _Listed(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Listed]


class OpenAiRecogniser:
    """Sends utterances of all sessions, at most ``REQUESTS_AT_ONCE`` at a time. A request that is
    left, because its utterance was dropped or its partial is overdue, closes its connection."""

    name = "openai"
    capacity = REQUESTS_AT_ONCE * SESSIONS_PER_REQUEST

    def __init__(self, server: Server) -> None:
        if not _ADDRESS.fullmatch(server.base_url):
            raise BackendUnavailable(
                "STT_BACKEND=openai needs an http address in STT_BASE_URL or OPENAI_BASE_URL"
            )
        self._server = server
        self.model = server.model
        self._formats: Sequence[str] = ("verbose_json", "json")
        """Formats still to be tried, the best first; one once the server took it."""
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._partial_slots = asyncio.Semaphore(PARTIALS_AT_ONCE)
        self._recording_slots = asyncio.Semaphore(RECORDINGS_AT_ONCE)
        self._client = httpx.AsyncClient(
            base_url=server.base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {server.api_key}"} if server.api_key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            limits=httpx.Limits(keepalive_expiry=KEPT_OPEN_S),
        )

    async def start(self) -> None:
        """Ask for the models, and choose one if none is named. Nothing is transcribed to try it:
        hosted servers bill that.

        Raises:
            EngineRefuses: the server does not take the key, or has no such API.
            BackendUnavailable: it cannot be reached.
        """
        try:
            listed = await self._models()
        except AgentError as error:
            kind = EngineRefuses if isinstance(error, EngineRefuses) else BackendUnavailable
            raise kind(f"{self._server.base_url}: {error}") from error
        self.model = self._server.model or preferred(listed)
        log.info("model_chosen", backend=self.name, model=self.model, listed=len(listed))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def stream(self, language: str) -> "OpenAiStream":
        """See ``Recogniser``."""
        kind = OpenAiPartials if self._server.partials else OpenAiStream
        return kind(self, main_language(language))

    async def partial(self, pcm: bytes, language: str) -> Transcript:
        """As ``transcribe``, for a partial: half of all requests are left to finals.

        Raises:
            BackendBusy: other utterances take the other half.
        """
        if self._partial_slots.locked():
            raise BackendBusy("as many partials as may be are being made")
        async with self._partial_slots:
            return await self.transcribe(pcm, language)

    async def transcribe(self, pcm: bytes, language: str) -> Transcript:
        """The text of ``pcm``; ``language`` empty if the server is to find out.

        Raises:
            AgentError: the server cannot be reached, refuses, or answers what is no transcript.
        """
        if len(pcm) < SHORTEST_BYTES:
            return Transcript("", language)
        async with _coded(), asyncio.timeout(self._server.timeout_s), self._slots:
            return _transcript_in(await self._sent(wav_of(pcm), Asked(language)), language)

    async def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """See ``Transcribing``; one request for the whole recording, which may take as long as the
        recording lasts, and the time of an utterance beside."""
        if len(pcm) < SHORTEST_BYTES:
            yield Understood("", asked.language)
            return
        audio_ms = ms_of(len(pcm))
        wav = await asyncio.to_thread(wav_of, pcm)
        async with self._recording_slots:
            patience_s = self._server.timeout_s + audio_ms / 1000
            async with _coded(), asyncio.timeout(patience_s):
                body = await self._sent(wav, asked)
        segments, understood = told_by(body, asked, audio_ms)
        for segment in segments:
            yield segment
        yield understood

    async def _sent(self, wav: bytes, asked: Asked) -> bytes:
        """Send in the best format that the server takes, and remember that; what it answers."""
        for tried, response_format in enumerate(self._formats):
            form: Mapping[str, Any] = form_of(asked, self.model, response_format)
            request = self._client.build_request(
                "POST", path_of(asked), data=form, files={"file": (FILE_NAME, wav, "audio/wav")}
            )
            response = await self._client.send(request, stream=True)
            async with aclosing(response):
                body = await _body_of(response)
            if response.is_success:
                if asked == Asked(asked.language):
                    self._formats = (response_format,)  # no wish of a recording was in its way
                return body
            last = tried == len(self._formats) - 1
            if last or response.status_code not in _REFUSED_FORMAT:
                raise _refusal(response.status_code, body)
        raise AssertionError("there is always a format left to try")

    async def _models(self) -> list[str]:
        """What the server lists; nothing where it has no list."""
        async with _coded(), asyncio.timeout(LIST_S):
            response = await self._client.send(
                self._client.build_request("GET", "models"), stream=True
            )
            async with aclosing(response):
                body = await _body_of(response)
        if response.status_code in _NO_LIST:
            return []
        if not response.is_success:
            raise _refusal(response.status_code, body)
        try:
            return [one.id for one in msgspec.json.decode(body, type=_List).data]
        except msgspec.DecodeError as error:
            raise EngineRefuses(f"its list of models is not readable: {error}") from error


class OpenAiStream:
    """See ``Stream``; one request for each utterance, at its end."""

    def __init__(self, engine: OpenAiRecogniser, language: str) -> None:
        self._engine = engine
        self._language = language
        self._pcm = bytearray()
        self._agreement = Agreement()

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        self._pcm += pcm
        return None

    async def finish(self) -> Transcript:
        final = await self._engine.transcribe(bytes(self._pcm), self._language)
        text = settle(self._agreement, final.text)
        await self.reset()
        return final._replace(text=text)

    async def reset(self) -> None:
        self._pcm.clear()
        self._agreement = Agreement()

    async def close(self) -> None:
        """Nothing to give back: a request that is under way ends with whoever waits for it."""


class OpenAiPartials(OpenAiStream):
    """See ``Redecoding``; one request at a time, for every second of new sound."""

    def __init__(self, engine: OpenAiRecogniser, language: str) -> None:
        super().__init__(engine, language)
        self._grown = asyncio.Event()
        self._asked_bytes = 0

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        self._pcm += pcm
        if len(self._pcm) - self._asked_bytes >= PARTIAL_STEP_BYTES:
            self._grown.set()
        return None

    async def partial(self) -> Hypothesis:
        await self._grown.wait()
        self._grown.clear()
        self._asked_bytes = len(self._pcm)
        heard = await self._engine.partial(bytes(self._pcm), self._language)
        self._agreement = agree(self._agreement, heard.text)
        return Hypothesis(self._agreement.text, self._agreement.stable_chars)

    async def reset(self) -> None:
        await super().reset()
        self._grown.clear()
        self._asked_bytes = 0


def preferred(listed: Sequence[str]) -> str:
    """The model to take of those that a server lists."""
    if USUAL_MODEL in listed or not listed:
        return USUAL_MODEL
    hearing = (name for name in listed if "whisper" in name.lower() or "transcri" in name.lower())
    return next(hearing, listed[0])


def wav_of(pcm: bytes) -> bytes:
    """A WAV file of 16 kHz mono s16le sound."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(SAMPLE_BYTES)
        written.setframerate(RATE_HZ)
        written.writeframes(pcm)
    return file.getvalue()


def _transcript_in(body: bytes, asked_language: str) -> Transcript:
    """The transcript in an answer of either format."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise AgentError(f"the server's answer is not readable: {error}", "stt_failed") from error
    language = code_of(answer.language or "") or asked_language
    segments = _segments_of(answer)
    if segments:
        return transcript_of(segments, language)
    return Transcript(answer.text.strip(), language)


def _segments_of(answer: _Answer) -> list[Segment]:
    """The segments, if the server says of each how sure it is."""
    segments = []
    for one in answer.segments or ():
        if one.avg_logprob is None:
            return []
        tokens = len(one.tokens) if isinstance(one.tokens, list) else len(one.text.split())
        segments.append(Segment(one.text, tokens, one.avg_logprob, one.no_speech_prob or 0.0))
    return segments


async def _body_of(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise AgentError(f"the server's answer passes {MAX_ANSWER_BYTES} bytes", "stt_failed")
    return bytes(body)


def _refusal(status: int, body: bytes) -> AgentError:
    text = " ".join(body[: 4 * MAX_ERROR_CHARS].decode(errors="replace").split())
    detail = f"the server answered {status}: {text[:MAX_ERROR_CHARS]}"
    match status:
        case 401 | 403 | 404:
            return EngineRefuses(detail)
        case 413:
            return AgentError(detail, "utterance_too_long")
        case 429:
            return BackendBusy(detail)
        case 502 | 503 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, "stt_failed")


@asynccontextmanager
async def _coded() -> AsyncIterator[None]:
    """Turns what the network raises into agent errors."""
    try:
        yield
    except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
        raise BackendTimeout("the server did not answer in time") from error
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise BackendUnavailable(f"the server cannot be reached: {reason}") from error
