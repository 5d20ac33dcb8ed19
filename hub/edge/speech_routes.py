"""``POST /tts`` makes audio of a text; ``POST /say`` lets a connected robot say it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.counters import Counters
from hub.edge.disconnect import AudioResponse, ClientGone, while_connected
from hub.edge.documented import refusals
from hub.edge.grants import check_robot, grant_of
from hub.edge.job_routes import ErrorBody
from hub.edge.limits import MAX_TEXT_CHARS
from hub.edge.services import EdgeServices
from hub.errors import BadRequest, Busy, JobError, TooLong
from protocols.errors import HubError
from protocols.identity import checked_robot_id
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.job import SpeakRequest
from protocols.messages.turn import Priority
from protocols.vocabulary import emotion_or_neutral

MEDIA_TYPE = "application/octet-stream"
HEADERS = {"X-Audio-Sample-Rate": str(MIC_RATE_HZ), "X-Audio-Channels": "1"}

_TTS_GONE = frozenset(
    {"agent_missing", "backend_unavailable", "backend_timeout", "job_timeout", "job_failed"}
)

log = structlog.get_logger()


class EmptyText(BadRequest):
    """Nothing to speak."""

    code = "empty_text"


class TtsBody(BaseModel):
    """Body of ``POST /tts``."""

    text: str
    emotion: str = "neutral"
    intensity: float = Field(default=0.5, ge=0.0, le=1.0)
    stream: bool = True
    robot_id: str | None = None
    seq: int | None = None
    monotonic_ts_ms: int | None = None


class SayBody(BaseModel):
    """Body of ``POST /say``. ``when`` "free": what cannot be said now waits for up to ``ttl_s``
    until nobody speaks."""

    robot_id: str
    text: str
    emotion: str = "neutral"
    intensity: float = Field(default=0.5, ge=0.0, le=1.0)
    priority: Priority = Priority.PLAN
    interruptible: bool = True
    when: Literal["now", "free"] = "now"
    ttl_s: float = Field(default=60.0, ge=1.0, le=600.0)


class SayOutcome(BaseModel):
    """Answer of ``POST /say``: how the turn ended, or why it was not begun."""

    robot_id: str
    outcome: str


def speech_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["robot"])

    refused = refusals(ErrorBody, s400="The text or the robot's id is not valid.")

    @router.post(
        "/tts",
        response_class=Response,
        responses={**refused, 200: {"content": {MEDIA_TYPE: {}}}},
    )
    async def tts(body: TtsBody, request: Request) -> Response:
        """Speak a text: raw PCM, s16le mono 16 kHz, streamed unless ``stream`` is false."""
        _check_text(body.text)
        if body.robot_id:
            check_robot(request, checked_robot_id(body.robot_id))
        speech = services.jobs.speak(
            SpeakRequest(
                text=body.text,
                rate_hz=MIC_RATE_HZ,
                emotion=emotion_or_neutral(body.emotion),
                intensity=body.intensity,
            ),
            body.robot_id or "",
            grant_of(request).id,
        )
        try:
            if body.stream:
                first = await while_connected(request, _first(speech))
                rest = _rest(first, speech, services.counters)
                return AudioResponse(rest, HEADERS, MEDIA_TYPE)
            whole = await while_connected(request, _whole(speech))
            return Response(whole, headers=HEADERS, media_type=MEDIA_TYPE)
        except JobError as error:
            await speech.aclose()
            return speech_failure(error)
        except ClientGone:
            await speech.aclose()
            return Response(status_code=499)

    @router.post("/say", responses={**refused, 404: {"model": ErrorBody}})
    async def say(body: SayBody, request: Request) -> SayOutcome:
        """Let a connected robot say something; answers when it is over."""
        _check_text(body.text)
        check_robot(request, checked_robot_id(body.robot_id))
        outcome = await services.sessions.say(
            body.robot_id,
            body.text,
            emotion=emotion_or_neutral(body.emotion),
            intensity=body.intensity,
            priority=body.priority.value,
            interruptible=body.interruptible,
            when_free=body.when == "free",
            ttl_ms=round(body.ttl_s * 1_000),
        )
        return SayOutcome(robot_id=body.robot_id, outcome=str(outcome))

    return router


def speech_failure(error: JobError) -> JSONResponse:
    """The documented answer to speech that failed before its first byte: its code as detail."""
    detail = error.code
    if isinstance(error, Busy) or error.code == "backend_busy":
        detail = "tts_busy_no_fallback"
    elif error.code in _TTS_GONE:
        detail = "tts_unavailable"
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, Busy) else None
    return JSONResponse({"error": detail, "detail": detail}, 503, headers)


def _check_text(text: str) -> None:
    if not text.strip():
        raise EmptyText("Text cannot be empty")
    if len(text) > MAX_TEXT_CHARS:
        raise TooLong(f"text has {len(text)} characters, {MAX_TEXT_CHARS} are allowed")


async def _first(speech: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(speech, b"")


async def _whole(speech: AsyncGenerator[bytes, None]) -> bytes:
    async with aclosing(speech):
        return b"".join([chunk async for chunk in speech])


async def _rest(
    first: bytes, speech: AsyncGenerator[bytes, None], counters: Counters
) -> AsyncGenerator[bytes, None]:
    """All of the speech; cut short, counted and logged, if it fails after its first byte."""
    async with aclosing(speech):
        yield first
        try:
            async for chunk in speech:
                yield chunk
        except HubError as error:
            counters.count("speech_streams.cut_short")
            log.warning("speech stream cut short", code=error.code)
