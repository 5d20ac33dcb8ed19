"""``POST /v1/audio/speech``: https://platform.openai.com/docs/api-reference/audio/createSpeech"""

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.audio_formats import FORMATS, encoded, rate_for
from hub.edge.disconnect import AudioResponse, while_connected
from hub.edge.limits import MAX_TEXT_CHARS
from hub.edge.openai.asking import Desk
from hub.edge.openai.fields import Body, ModelName
from hub.edge.openai.naming import serving
from hub.edge.openai.refusing import OpenAiRoute, refused, told_in_stream
from hub.edge.openai.usage import estimated
from hub.edge.openai.voices import voice_of
from hub.edge.sse import DOCUMENTED, event, streamed
from hub.errors import JobError
from protocols.messages.agent import AgentKind
from protocols.messages.job import SpeakRequest

log = structlog.get_logger()

Sound = AsyncGenerator[bytes, None]


class VoiceId(Body):
    """A voice by its id."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SpeechBody(Body):
    """Body of ``POST /v1/audio/speech``. ``instructions`` change nothing. ``pcm`` is s16le mono
    24 kHz."""

    model: ModelName
    input: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\S")]
    voice: Annotated[str, StringConstraints(min_length=1, max_length=64)] | VoiceId
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None = None
    speed: Annotated[float, Field(ge=0.25, le=4)] | None = None
    stream_format: Literal["audio", "sse"] | None = None
    instructions: Annotated[str, Field(max_length=MAX_TEXT_CHARS)] | None = None

    @property
    def voice_name(self) -> str:
        """Of the voice."""
        return self.voice if isinstance(self.voice, str) else self.voice.id


_CONTENTS = {
    **{
        form.media_type: {"schema": {"type": "string", "format": "binary"}}
        for form in FORMATS.values()
    },
    **DOCUMENTED,
}


def speech_router(desk: Desk) -> APIRouter:
    """The route over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])

    @router.post(
        "/audio/speech",
        response_class=Response,
        responses={200: {"content": _CONTENTS}, **refused()},
    )
    async def speech(body: SpeechBody, request: Request) -> Response:
        """Speech of a text, sent while it is made."""
        desk.model(body.model, AgentKind.TTS)
        form = body.response_format or "mp3"
        rate_hz = rate_for(form)
        spoken = desk.speak(
            SpeakRequest(
                text=body.input,
                rate_hz=rate_hz,
                voice=_voice_of(desk, body.voice_name),
                speed=body.speed or 1.0,
            ),
            request,
        )
        sound = encoded(spoken, form, rate_hz, desk.threads)
        if body.stream_format == "sse":
            return await streamed(request, _events(sound, body.input))
        try:
            first = await while_connected(request, _first(sound))
        except BaseException:
            await sound.aclose()
            raise
        return AudioResponse(_whole(desk, first, sound), {}, FORMATS[form].media_type)

    return router


def _voice_of(desk: Desk, name: str) -> str:
    engines = {agent.backend for agent in serving(desk.agents(), AgentKind.TTS)}
    return voice_of(name, min(engines, default=""))


async def _first(sound: Sound) -> bytes:
    return await anext(sound, b"")


async def _whole(desk: Desk, first: bytes, sound: Sound) -> Sound:
    """All of it; cut short, counted and logged, if it fails after its first bytes."""
    async with aclosing(sound):
        yield first
        try:
            async for each in sound:
                yield each
        except JobError as error:
            desk.count("speech_streams.cut_short")
            log.warning("speech stream cut short", code=error.code)


async def _events(sound: Sound, text: str) -> Sound:
    begun = False
    async with aclosing(sound):
        try:
            async for each in sound:
                begun = True
                audio = base64.b64encode(each).decode()
                yield event({"type": "speech.audio.delta", "audio": audio})
        except JobError as error:
            if not begun:
                raise
            yield event(told_in_stream(error))
            return
    tokens = estimated([text])
    usage = {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens, "estimated": True}
    yield event({"type": "speech.audio.done", "usage": usage})
