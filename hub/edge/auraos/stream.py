"""``WS /generate/stream``: texts as they are written, one after the other on one connection.

The client sends JSON text frames: the body of ``POST /generate``, or ``{"type": "cancel"}``. It is
told ``{"type": "delta", "text"}`` for every piece, and last one of ``done`` (with the answer of
``POST /generate``), ``error`` and ``cancelled``. One text is written at a time.
"""

import asyncio
from contextlib import aclosing
from typing import Any

import msgspec
import structlog
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.edge.admission import admit_caller
from hub.edge.auraos.asking import DEADLINE_S, Asking, Question
from hub.edge.auraos.bodies import GenerateBody
from hub.edge.auraos.engines import sentence_of
from hub.edge.json_body import parse_json
from hub.edge.limits import MAX_STRIKES, PARSED_IN_PLACE_BYTES
from hub.edge.pictures import read_pictures
from hub.edge.rights import Right
from hub.edge.services import EdgeServices
from hub.edge.wire import CLOSE_INTERNAL, CLOSE_PROTOCOL_ERROR, CLOSE_SLOW_CONSUMER
from hub.errors import BadRequest, Busy, Draining, JobError
from hub.jobs.orders import Caller
from protocols.errors import HubError
from protocols.messages.chat import ChatDelta, ChatDone

SEND_S = 5.0
"""A client that takes nothing for so long is cut."""

Json = dict[str, Any]

log = structlog.get_logger()


class Invalid(BadRequest):
    """A frame is not what may be sent."""

    code = "invalid_request"


async def stream_endpoint(websocket: WebSocket, services: EdgeServices) -> None:
    """Serve one client until it goes away."""
    grant = await admit_caller(websocket, services, Right.USE)
    if grant is None:
        return
    connection = _Connection(websocket, services, Caller(grant.id, deadline_s=DEADLINE_S))
    code = 0
    try:
        code = await connection.serve()
    except* WebSocketDisconnect:
        services.counters.count("generate_streams.left")
    except* TimeoutError:
        code = CLOSE_SLOW_CONSUMER
        services.counters.count("slow_consumer.generate_stream")
    except* Exception:
        log.exception("generate stream failed")
        services.counters.count("connections.failed")
        code = CLOSE_INTERNAL
    if code:
        await _close(websocket, code)


class _Connection:
    def __init__(self, websocket: WebSocket, services: EdgeServices, caller: Caller) -> None:
        self._websocket = websocket
        self._services = services
        self._caller = caller
        self._asking = Asking(services)
        self._writing: asyncio.Task[None] | None = None
        self._faults = 0

    async def serve(self) -> int:
        """Take frames until there are too many wrong ones; returns the code to close with.

        Raises:
            ExceptionGroup: ``WebSocketDisconnect`` in it; the client went away.
        """
        async with asyncio.TaskGroup() as tasks:
            while self._faults < MAX_STRIKES:
                frame = await self._frame()
                try:
                    await self._take(frame, tasks)
                except HubError as error:
                    self._faults += isinstance(error, BadRequest)
                    await self._refuse(error)
            await self._leave()
        return CLOSE_PROTOCOL_ERROR

    async def _frame(self) -> str | bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text: str | None = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def _take(self, frame: str | bytes, tasks: asyncio.TaskGroup) -> None:
        document = await _document(frame)
        kind = document.pop("type", "generate")
        if kind == "cancel":
            if await self._leave():
                await self._send({"type": "cancelled"})
        elif kind != "generate":
            raise Invalid("frames are of type generate or cancel")
        elif self._writing is not None and not self._writing.done():
            raise Busy("one text is written at a time")
        elif self._services.draining():
            raise Draining("the hub is shutting down and takes nothing new")
        else:
            self._writing = tasks.create_task(self._generate(_checked(document)))

    async def _leave(self) -> bool:
        """End what is being written; whether there was anything."""
        writing, self._writing = self._writing, None
        if writing is None or writing.done():
            return False
        writing.cancel()
        await asyncio.wait([writing])
        return True

    async def _generate(self, body: GenerateBody) -> None:
        question = Question(body.prompt, (), self._caller)
        try:
            question = question._replace(pictures=await read_pictures(body.images or []))
            await self._written(body, question)
        except JobError as error:
            detail = sentence_of(error, self._services.agents(), question.kind)
            await self._refuse(error, detail)
        except HubError as error:
            await self._refuse(error)

    async def _written(self, body: GenerateBody, question: Question) -> None:
        pieces, done = list[str](), ChatDone()
        async with aclosing(self._asking.chat(body, question)) as told:
            async for fact in told:
                if isinstance(fact, ChatDelta):
                    pieces.append(fact.text)
                    await self._send({"type": "delta", "text": fact.text})
                else:
                    done = fact
        await self._send(
            {
                "type": "done",
                "status": "success",
                "response": "".join(pieces),
                "backend": self._asking.backend(question.kind),
                "model": done.model,
                "finish_reason": done.finish_reason,
                "tokens": done.completion_tokens,
            }
        )

    async def _refuse(self, error: HubError, detail: str = "") -> None:
        told: Json = {
            "type": "error",
            "status": "error",
            "error": detail or str(error),
            "code": error.code,
        }
        if isinstance(error, Busy):
            told["retry_after_s"] = error.retry_after_s
        await self._send(told)

    async def _send(self, document: Json) -> None:
        async with asyncio.timeout(SEND_S):
            await self._websocket.send_text(msgspec.json.encode(document).decode())


async def _document(frame: str | bytes) -> Json:
    """A frame as an object.

    Raises:
        BadRequest: it is none.
    """
    if isinstance(frame, bytes):
        raise Invalid("frames are JSON text")
    encoded = frame.encode()
    if len(encoded) <= PARSED_IN_PLACE_BYTES:
        document = parse_json(encoded)
    else:
        document = await asyncio.to_thread(parse_json, encoded)
    if not isinstance(document, dict):
        raise Invalid("a frame is a JSON object")
    return document


def _checked(document: Json) -> GenerateBody:
    try:
        return GenerateBody.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{where}: {first['msg']}") from None


async def _close(websocket: WebSocket, code: int) -> None:
    try:
        async with asyncio.timeout(SEND_S):
            await websocket.close(code)
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        return
