"""``POST /v1/audio/transcriptions`` and ``/v1/audio/translations``, which take forms:
https://platform.openai.com/docs/api-reference/audio"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hub.edge.disconnect import while_connected
from hub.edge.form_body import Upload, read_form
from hub.edge.openai import transcripts
from hub.edge.openai.asking import Desk
from hub.edge.openai.fields import Body, ModelName, only, refuse
from hub.edge.openai.forms import documented_form, fields_of
from hub.edge.openai.refusing import OpenAiRoute, refused, told_in_stream, wrong
from hub.edge.openai.transcripts import Form
from hub.edge.sse import DOCUMENTED, DONE, event, streamed
from hub.errors import JobError
from hub.jobs.inference import PLAINLY
from protocols.messages.agent import AgentKind
from protocols.messages.transcribe import TranscribeDone, TranscribeRequest, TranscribeSegment

MAX_PROMPT_CHARS = 4_000

Told = AsyncGenerator[TranscribeSegment | TranscribeDone, None]


class TranslationFields(Body):
    """Fields of the form of ``POST /v1/audio/translations``: what is said, in English."""

    model: ModelName
    prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)] = ""
    response_format: Form = "json"
    temperature: Annotated[float | None, Field(ge=0, le=1)] = None


class TranscriptionFields(TranslationFields):
    """Fields of the form of ``POST /v1/audio/transcriptions``. ``language`` is ISO 639-1, and
    heard where it does not stand there. Sound is cut as the engine likes it."""

    language: Annotated[
        str, StringConstraints(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")
    ] = ""
    timestamp_granularities: Annotated[list[Literal["word", "segment"]], Field(max_length=4)] = []
    stream: bool = False
    include: Annotated[
        list[Annotated[str, Field(max_length=40)]],
        AfterValidator(refuse("probabilities of tokens are not told")),
        only([]),
    ] = []


class TranscriptBody(BaseModel):
    """Answer of both routes; what is told beside the text is told to ``verbose_json`` alone."""

    text: str
    usage: dict[str, Any]
    task: str | None = None
    language: str | None = None
    duration: float | None = None
    segments: list[dict[str, Any]] | None = None
    words: list[dict[str, Any]] | None = None


class Heard(NamedTuple):
    """A recording, transcribed."""

    segments: Sequence[TranscribeSegment]
    done: TranscribeDone


_CONTENTS = {**DOCUMENTED, "text/plain": {"schema": {"type": "string"}}}


def transcription_router(desk: Desk) -> APIRouter:
    """The routes over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])

    @router.post(
        "/audio/transcriptions",
        response_model=TranscriptBody,
        responses={200: {"content": _CONTENTS}, **refused(s415="A form is needed.")},
        openapi_extra=documented_form(TranscriptionFields, required=("file",)),
    )
    async def transcriptions(request: Request) -> Response:
        """The text of a recording, with the times of its stretches and words."""
        form = await read_form(request)
        fields = fields_of(TranscriptionFields, form)
        words = _wants_words(fields)
        how = TranscribeRequest(
            audio=PLAINLY.audio,
            language=fields.language,
            prompt=fields.prompt,
            temperature=fields.temperature,
            words=words,
        )
        told = await _begun(desk, request, fields.model, form.file("file"), how)
        if fields.stream:
            return await streamed(request, _events(told))
        heard = await while_connected(request, _heard(told))
        stretches = not words or "segment" in fields.timestamp_granularities
        return _answer(fields, heard, "transcribe", words=words, stretches=stretches)

    @router.post(
        "/audio/translations",
        response_model=TranscriptBody,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **refused(s415="A form is needed."),
        },
        openapi_extra=documented_form(TranslationFields, required=("file",)),
    )
    async def translations(request: Request) -> Response:
        """What is said in a recording, in English."""
        form = await read_form(request)
        fields = fields_of(TranslationFields, form)
        how = TranscribeRequest(
            audio=PLAINLY.audio,
            prompt=fields.prompt,
            temperature=fields.temperature,
            translate=True,
        )
        told = await _begun(desk, request, fields.model, form.file("file"), how)
        heard = await while_connected(request, _heard(told))
        return _answer(fields, heard, "translate", words=False, stretches=True)

    return router


def _wants_words(fields: TranscriptionFields) -> bool:
    if fields.timestamp_granularities and fields.response_format != "verbose_json":
        wrong("timestamp_granularities", "times are told in verbose_json")
    if fields.stream and fields.response_format not in ("json", "text"):
        wrong("stream", "what is streamed is the text: ask for json")
    return "word" in fields.timestamp_granularities


async def _begun(
    desk: Desk, request: Request, name: str, file: Upload | None, how: TranscribeRequest
) -> Told:
    if file is None:
        wrong("file", "a recording is expected as a file")
    model = desk.model(name, AgentKind.STT)
    pcm = await while_connected(request, desk.recordings.pcm_of(file.content))
    return desk.models.transcribe(pcm, how, model=model, caller=desk.caller(request))


async def _heard(told: Told) -> Heard:
    segments: list[TranscribeSegment] = []
    done: TranscribeDone | None = None
    async with aclosing(told):
        async for each in told:
            if isinstance(each, TranscribeSegment):
                segments.append(each)
            else:
                done = each
    if done is None:
        raise JobError("stt ended the job without a text", "no_answer")
    return Heard(segments, done)


def _answer(
    fields: TranslationFields, heard: Heard, task: str, *, words: bool, stretches: bool
) -> Response:
    match fields.response_format:
        case "text":
            return PlainTextResponse(f"{heard.done.text}\n")
        case "srt":
            return PlainTextResponse(transcripts.srt(heard.segments))
        case "vtt":
            return PlainTextResponse(transcripts.vtt(heard.segments))
        case "json":
            return JSONResponse(transcripts.brief(heard.done))
        case "verbose_json":
            temperature = fields.temperature or 0.0
            return JSONResponse(
                transcripts.verbose(
                    heard.done,
                    heard.segments,
                    task=task,
                    temperature=temperature,
                    words=words,
                    stretches=stretches,
                )
            )


async def _events(told: Told) -> AsyncGenerator[bytes, None]:
    """The text, stretch by stretch. What fails before the first is raised, what fails later told
    by the last event."""
    begun = False
    async with aclosing(told):
        try:
            async for each in told:
                if isinstance(each, TranscribeSegment):
                    delta = f" {each.text}" if begun else each.text
                    yield event({"type": "transcript.text.delta", "delta": delta})
                else:
                    yield event({"type": "transcript.text.done", **transcripts.brief(each)})
                begun = True
            yield DONE
        except JobError as error:
            if not begun:
                raise
            yield event(told_in_stream(error))
