"""Any server that speaks the OpenAI speech API: audio streamed as it is made."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple

import httpx

from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable
from agents.tts.audio_format import AudioFormat, format_of
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.estimate import EstimatedSpeech, Pace
from agents.tts.patience import Limits, Patience
from agents.tts.prosody import NEUTRAL, Prosody
from agents.tts.settings import TtsSettings
from agents.tts.speakable import in_pieces
from agents.tts.tempo import MAX_SPEED, MIN_SPEED, at_tempo, shared

PCM_HZ = 24_000
"""Rate of the API's ``pcm`` format."""
PIECE_CHARS = 400
"""Many servers make the whole of a text before they send the first of it."""
CONNECT_S = 3.0
LIMITS = Limits(first_s=10.0, idle_s=3.0, total_s=60.0)
MAX_ERROR_CHARS = 300

_VOICE_NAME = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_NO_PCM = (
    "text/", "application/json", "audio/mpeg", "audio/mp3", "audio/ogg", "audio/opus", "audio/aac",
    "audio/flac",
)  # fmt: skip
"""Types of answers that cannot be raw samples or a WAV file."""
_WRONG_INPUT = frozenset({400, 404, 422})


class Server(NamedTuple):
    """Where the voice is and how it is asked for. ``base_url`` goes up to and with ``/v1``."""

    base_url: str
    model: str = "tts-1"
    voice: str = "alloy"
    api_key: str = ""
    speed: float = 1.0


class OpenAiVoice:
    """Speaks with one model of a server; closing a phrase closes its connection, which is how these
    servers are told to stop. The API gives no word times: they are estimated."""

    name = "openai"
    capacity = 8
    rate_hz = PCM_HZ

    def __init__(self, server: Server, limits: Limits = LIMITS) -> None:
        self._server = server
        self._limits = limits
        self._pace = Pace()
        self._client = httpx.AsyncClient(
            base_url=server.base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {server.api_key}"} if server.api_key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_S),
        )

    @classmethod
    def from_settings(cls, settings: TtsSettings, base_url: str, api_key: str) -> "OpenAiVoice":
        """The model and voice that ``settings`` name, on the server at ``base_url``."""
        server = Server(
            base_url, settings.openai_model, settings.openai_voice, api_key, settings.speed
        )
        return cls(server, LIMITS._replace(total_s=settings.openai_timeout_s))

    async def start(self) -> None:
        """Let the server speak a word.

        Raises:
            BackendUnavailable: it does not, for whatever reason.
        """
        try:
            async with aclosing(self.speak("ready", NEUTRAL, "en", "")) as parts:
                async for part in parts:
                    if isinstance(part, Sound):
                        return
        except AgentError as error:
            raise BackendUnavailable(f"{self._server.base_url}: {error}") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        """See ``Voice``. What is not read from the connection the server does not go on making.

        Raises:
            BackendBusy, BackendTimeout, BackendUnavailable: the server refused, was late or went.
            AgentError: ``tts_failed``; what it sent is not audio, or not all of it.
        """
        share = shared(self._server.speed * prosody.rate, prosody.speed, MIN_SPEED, MAX_SPEED)
        return at_tempo(self._spoken(text, share.rate, voice), share.stretch, self.rate_hz)

    async def _spoken(
        self, text: str, speed: float, voice: str
    ) -> AsyncGenerator[Sound | Marks, None]:
        begun_ms = 0
        for piece in in_pieces(text, PIECE_CHARS):
            async with aclosing(self._speak_piece(piece, speed, voice)) as parts:
                spoken_ms = 0.0
                async for part in parts:
                    if isinstance(part, Sound):
                        spoken_ms += len(part.pcm) * 500 / part.rate_hz
                        yield part
                    else:
                        yield part.later(begun_ms)
            begun_ms += round(spoken_ms)

    async def _speak_piece(
        self, text: str, speed: float, voice: str
    ) -> AsyncGenerator[Sound | Marks, None]:
        patience = Patience(self._limits)
        async with _coded(), patience.waiting():
            response = await self._begin(text, voice, round(speed, 3))
        async with aclosing(response):
            audio = _Audio(lambda rate_hz: EstimatedSpeech(text, rate_hz, self._pace, speed))
            received = response.aiter_bytes()
            while True:
                async with _coded(), patience.waiting():
                    pcm = await anext(received, None)
                for part in audio.add(pcm) if pcm is not None else audio.finish():
                    yield part
                if pcm is None:
                    return

    async def _begin(self, text: str, voice: str, speed: float) -> httpx.Response:
        """Ask for ``text`` in ``voice``, or in the usual voice if the server does not take it."""
        usual = self._server.voice
        names = dict.fromkeys(
            name for name in (voice, usual) if name == usual or _VOICE_NAME.fullmatch(name)
        )
        for name in names:
            body = {
                "model": self._server.model,
                "input": text,
                "voice": name,
                "response_format": "pcm",
            }
            if speed != 1.0:
                body["speed"] = speed  # type: ignore[assignment] # the one field that is no text
            request = self._client.build_request("POST", "audio/speech", json=body)
            response = await self._client.send(request, stream=True)
            if response.is_success and _is_audio(response):
                return response
            async with aclosing(response):
                if name == usual or response.status_code not in _WRONG_INPUT:
                    raise _refusal(response.status_code, await _beginning(response))
        raise AssertionError("the usual voice is always left to try")


class _Audio:
    """A response's audio, from bytes that may be cut anywhere."""

    def __init__(self, speech_at: Callable[[int], EstimatedSpeech]) -> None:
        self._speech_at = speech_at
        self._speech: EstimatedSpeech | None = None
        self._rest = b""

    def add(self, received: bytes, complete: bool = False) -> list[Marks | Sound]:
        """What can be given out now."""
        self._rest += received
        if self._speech is None:
            try:
                found: AudioFormat | None = format_of(self._rest, PCM_HZ, complete)
            except ValueError as error:
                raise AgentError(f"the server's answer: {error}", "tts_failed") from error
            if found is None:
                return []
            self._speech = self._speech_at(found.rate_hz)
            self._rest = self._rest[found.first_byte :]
        whole = len(self._rest) // 2 * 2
        pcm, self._rest = self._rest[:whole], self._rest[whole:]
        return self._speech.add(pcm)

    def finish(self) -> list[Marks | Sound]:
        """The rest.

        Raises:
            AgentError: there was no audio, or half a sample.
        """
        parts = self.add(b"", complete=True)
        if self._speech is None or not self._speech.samples:
            raise AgentError("the server's answer holds no audio", "tts_failed")
        if self._rest:
            raise AgentError("the server's answer ends within a sample", "tts_failed")
        return [*parts, *self._speech.finish()]


def _is_audio(response: httpx.Response) -> bool:
    """Whether it may be; servers that do not say ``audio/pcm`` say little that is of use."""
    return not response.headers.get("content-type", "").startswith(_NO_PCM)


def _refusal(status: int, text: str) -> AgentError:
    detail = f"the server answered {status}: {' '.join(text.split())[:MAX_ERROR_CHARS]}"
    match status:
        case 429:
            return BackendBusy(detail)
        case 401 | 403 | 500 | 502 | 503 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, code="tts_failed")


async def _beginning(response: httpx.Response) -> str:
    """The first characters of an error's text."""
    async for text in response.aiter_text():
        return text[:MAX_ERROR_CHARS]
    return ""


@asynccontextmanager
async def _coded() -> AsyncIterator[None]:
    """Turns what the network raises into agent errors."""
    try:
        yield
    except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise BackendTimeout("the server cannot be reached in time") from error
    except httpx.HTTPError as error:
        raise BackendUnavailable(f"the server cannot be reached: {error}") from error
