"""Any server with the OpenAI images API: ``POST /v1/images/generations``, and ``/v1/images/edits``
where a picture is to be made out of another. LocalAI serves the same with more in it: seeds, steps,
and a negative prompt behind a ``|``. What a server takes is found out and remembered.

No address that a server answers with is ever fetched: pictures come as ``b64_json`` or not at all.
"""

import asyncio
import base64
import binascii
import re
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from enum import IntEnum
from io import BytesIO
from typing import Any, NamedTuple

import httpx
import msgspec
import structlog

from agents.engines.pictures import MAX_PIXELS, decode
from agents.image_gen.backends.base import Made, News, Order, Step
from agents.image_gen.png import size_in
from agents.image_gen.sources import mask_of, picture_of
from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.progress import progress

CONNECT_S = 3.0
LIST_S = 10.0
"""How long the list of models may take."""
RETRY_S = 2.0
MAX_ANSWER_BYTES = 48 << 20
"""A picture of 2048 × 2048 that does not compress, in base 64, with room."""
MAX_ERROR_CHARS = 300

_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/\S*)?")
_NO_SUCH_ROUTE = frozenset({404, 405, 501})
_UNKNOWN_FIELD_STATUS = frozenset({400, 415, 422})
_UNKNOWN_FIELD = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|unexpected|not (?:supported|permitted|allowed)|extra",
    re.IGNORECASE,
)
_MAKES_PICTURES = re.compile(r"image|diffusion|dall-?e|flux|sdxl|sd[-_]?\d", re.IGNORECASE)

Sleep = Callable[[float], Awaitable[None]]

log = structlog.get_logger(__name__)


class Server(NamedTuple):
    """Where a model is and how it is asked. ``model`` empty: chosen from the server's list."""

    base_url: str
    model: str = ""
    api_key: str = ""
    timeout_s: float = 300.0


class Dialect(IntEnum):
    """What a server takes; the fullest is tried first."""

    LOCALAI = 0
    """Seed, steps, guidance, and the negative prompt behind a ``|``."""
    OPENAI = 1
    """None of these: what is not wanted is said in the prompt."""
    OPENAI_PLAIN = 2
    """Models that answer with ``b64_json`` only, and must not be asked for it."""


class EngineRefuses(BackendUnavailable):
    """The server is there and will not serve as it is asked to: waiting for it does not help."""


class _Item(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None


class _Answer(msgspec.Struct):
    data: list[_Item]


class _Listed(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Listed]


class _Refused(AgentError):
    """An answer that is none, by its status."""

    def __init__(self, status: int, detail: str, code: str) -> None:
        super().__init__(detail, code)
        self.status = status


class OpenAiPainter:
    """Asks for one picture at a time. An order that is left closes its connection."""

    name = "openai"
    capacity = 1

    def __init__(self, server: Server, latch: Latch, sleep: Sleep = asyncio.sleep) -> None:
        if not _ADDRESS.fullmatch(server.base_url):
            raise BackendUnavailable(
                "IMAGE_BACKEND=openai needs an http address in IMAGE_BASE_URL or OPENAI_BASE_URL"
            )
        self._server = server
        self._latch = latch
        self._sleep = sleep
        self.model = server.model
        self.counters: Counter[str] = Counter()
        self._dialect = Dialect.LOCALAI
        self._edits = True
        """Whether the server may have the route for edits."""
        self._client = httpx.AsyncClient(
            base_url=server.base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {server.api_key}"} if server.api_key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_S),
        )

    async def start(self) -> None:
        """Ask for the models, again and again until the server is there, and choose one if none is
        named. No picture is made to try it: hosted servers bill that.

        Raises:
            EngineRefuses: the server does not take the key, or has no such API.
        """
        while True:
            try:
                listed = await self._models()
                break
            except EngineRefuses as error:
                raise EngineRefuses(f"{self._server.base_url}: {error}") from error
            except AgentError as error:
                reason = f"{self._server.base_url}: {error}"
                log.warning("waiting_for_server", reason=reason)
                progress(f"waiting for {reason}")
            await self._sleep(RETRY_S)
        self.model = self._server.model or preferred(listed)
        log.info("model_chosen", backend=self.name, model=self.model, listed=len(listed))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def paint(self, order: Order) -> AsyncGenerator[News, None]:
        """See ``Painter``; a picture is one step, and the seed is the server's business.

        Raises:
            AgentError: the server cannot be reached, refuses, or answers what is no picture.
        """
        form = await asyncio.to_thread(_files_of, order) if order.source else {}
        for image, seed in enumerate(order.seeds):
            await self._latch.wait()
            async with _coded(), asyncio.timeout(self._server.timeout_s):
                body = await self._asked(order, seed, form)
            made = await asyncio.to_thread(_picture_in, body)
            yield Step(image, 1, 1)
            yield made

    async def _asked(self, order: Order, seed: int, files: Mapping[str, bytes]) -> bytes:
        """Ask in the fullest way that the server takes, and remember it; what it answers."""
        for dialect in Dialect:
            if dialect < self._dialect:
                continue
            try:
                body = await self._posted(fields_of(order, seed, self.model, dialect), files)
            except _Refused as error:
                is_last = dialect is max(Dialect)
                if is_last or error.status not in _UNKNOWN_FIELD_STATUS:
                    raise
                if not _UNKNOWN_FIELD.search(str(error)):
                    raise
                log.info("dialect_refused", dialect=dialect.name.lower(), reason=str(error))
                continue
            self._dialect = dialect
            self._count_ignored(order)
            return body
        raise AssertionError("there is always a dialect left to try")

    async def _posted(self, fields: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
        """Send one request by the route that the server has for it; what it answers."""
        if not files:
            return await self._answer("images/generations", json=fields)
        if self._edits:
            uploads = {name: (f"{name}.png", data, "image/png") for name, data in files.items()}
            form = {name: str(value) for name, value in fields.items()}
            try:
                return await self._answer("images/edits", data=form, files=uploads)
            except _Refused as error:
                if error.status not in _NO_SUCH_ROUTE:
                    raise
        if "mask" in files:
            raise AgentError("the server makes no part of a picture anew", "image_no_masks")
        picture = base64.b64encode(files["image"]).decode()
        body = await self._answer("images/generations", json={**fields, "file": picture})
        self._edits = False
        return body

    async def _answer(self, route: str, **content: Any) -> bytes:
        request = self._client.build_request("POST", route, **content)
        response = await self._client.send(request, stream=True)
        async with aclosing(response):
            body = await _body_of(response)
        if response.is_success:
            return body
        raise _refusal(response.status_code, body)

    def _count_ignored(self, order: Order) -> None:
        """What such a server has no word for."""
        if self._dialect is not Dialect.LOCALAI:
            self.counters["seeds_ignored"] += 1

    async def _models(self) -> list[str]:
        """What the server lists; nothing where it has no list."""
        async with _coded(), asyncio.timeout(LIST_S):
            request = self._client.build_request("GET", "models")
            response = await self._client.send(request, stream=True)
            async with aclosing(response):
                body = await _body_of(response)
        if response.status_code in _NO_SUCH_ROUTE:
            return []
        if response.status_code in (401, 403):
            raise EngineRefuses(str(_refusal(response.status_code, body)))
        if not response.is_success:
            raise _refusal(response.status_code, body)
        try:
            return [one.id for one in msgspec.json.decode(body, type=_List).data]
        except msgspec.DecodeError as error:
            raise EngineRefuses(f"its list of models is not readable: {error}") from error


def fields_of(order: Order, seed: int, model: str, dialect: Dialect) -> dict[str, Any]:
    """What is asked for, in the words of ``dialect``. LocalAI splits a prompt at its first ``|``, so
    one of the user's own is a comma to it."""
    fields: dict[str, Any] = {"n": 1, "size": f"{order.width}x{order.height}"}
    if model:
        fields["model"] = model
    if dialect is not Dialect.OPENAI_PLAIN:
        fields["response_format"] = "b64_json"
    if dialect is not Dialect.LOCALAI:
        avoided = f"\nAvoid: {order.negative_prompt}" if order.negative_prompt else ""
        return {**fields, "prompt": order.prompt + avoided}
    words = [order.prompt, order.negative_prompt] if order.negative_prompt else [order.prompt]
    fields |= {
        "prompt": "|".join(text.replace("|", ",") for text in words),
        "seed": seed,
        "step": order.steps,
        "cfg_scale": order.guidance,
    }
    if order.source:
        fields["strength"] = order.strength
    return fields


def preferred(listed: Sequence[str]) -> str:
    """The model to take of those that a server lists; empty: the server's own choice."""
    return next((name for name in listed if _MAKES_PICTURES.search(name)), "")


def _files_of(order: Order) -> dict[str, bytes]:
    """Blocking. The source and its mask as PNG files of the picture's own size; where the API's mask
    is transparent, a picture is made anew."""
    size = (order.width, order.height)
    files = {"image": _png(picture_of(order.source, size))}
    if order.mask:
        from PIL import ImageOps

        opaque = picture_of(order.mask, size)
        opaque.putalpha(ImageOps.invert(mask_of(order.mask, size)))
        files["mask"] = _png(opaque)
    return files


def _png(picture: Any) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _picture_in(body: bytes) -> Made:
    """Blocking. The picture in an answer, as PNG whatever it came as."""
    try:
        items = msgspec.json.decode(body, type=_Answer).data
    except msgspec.DecodeError as error:
        raise AgentError(f"the server's answer is not readable: {error}", "image_failed") from error
    if not items:
        raise AgentError("the server's answer holds no picture", "image_failed")
    item = items[0]
    if item.b64_json is None:
        raise AgentError(
            "the server answers with addresses of pictures, which are not fetched; it must know"
            " response_format b64_json",
            "image_url_only",
        )
    try:
        data = base64.b64decode(item.b64_json.partition("base64,")[2] or item.b64_json)
    except (binascii.Error, ValueError) as error:
        raise AgentError("the server's picture is no base 64", "image_failed") from error
    return _as_png(data)


def _as_png(data: bytes) -> Made:
    size = size_in(data)
    if size is not None and size[0] * size[1] <= MAX_PIXELS:
        return Made(data, *size)
    try:
        picture = decode(data, max_side=0)
    except AgentError as error:
        raise AgentError(f"the server's answer is unusable: {error}", "image_failed") from error
    return Made(_png(picture), *picture.size)


async def _body_of(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise AgentError(f"the server's answer passes {MAX_ANSWER_BYTES} bytes", "image_failed")
    return bytes(body)


def _refusal(status: int, body: bytes) -> AgentError:
    text = " ".join(body[: 4 * MAX_ERROR_CHARS].decode(errors="replace").split())
    detail = f"the server answered {status}: {text[:MAX_ERROR_CHARS]}"
    match status:
        case 401 | 403:
            return EngineRefuses(detail)
        case 429:
            return BackendBusy(detail)
        case 502 | 503:
            return BackendUnavailable(detail)
        case 504:
            return BackendTimeout(detail)
    return _Refused(status, detail, "image_refused" if status < 500 else "image_failed")


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
