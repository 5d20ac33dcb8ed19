"""Forms from outside (``multipart/form-data``, RFC 7578), bounded in parts and in their sizes."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, parse_options_header
from starlette.requests import Request

from hub.edge.held_body import body_of, off_loop
from hub.edge.limits import MAX_FIELD_BYTES, MAX_PARTS, PARSED_IN_PLACE_BYTES
from hub.errors import BadBody, BodyTooLarge, TooManyParts, WrongMedia

_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form. ``name`` is what its sender calls it: never a path to write to."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a form in their order; a name may come more than once (``names[]``)."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, Upload]] = field(default_factory=list)

    def text(self, name: str, default: str | None = None) -> str | None:
        """The last field of that name."""
        return next((value for key, value in reversed(self.fields) if key == name), default)

    def texts(self, name: str) -> list[str]:
        """All fields of that name, or of that name with ``[]`` behind it."""
        return [value for key, value in self.fields if key in (name, f"{name}[]")]

    def file(self, name: str) -> Upload | None:
        """The last file of that name."""
        return next((file for key, file in reversed(self.files) if key == name), None)


async def read_form(request: Request) -> Form:
    """The form that ``request`` brings; a large one is taken apart off the loop.

    Raises:
        WrongMedia: it brings something else.
        BadBody: it is broken.
        TooManyParts, BodyTooLarge: more than ``MAX_PARTS``; a field above ``MAX_FIELD_BYTES``.
    """
    content_type = request.headers.get("content-type", "")
    body = await body_of(request)
    if len(body) <= PARSED_IN_PLACE_BYTES:
        return parse_form(content_type, body)
    return await off_loop(parse_form, content_type, body)


def parse_form(content_type: str, body: bytes | bytearray) -> Form:
    """``body`` taken apart; raises as ``read_form`` does."""
    kind, options = parse_options_header(content_type)
    form = _Collected()
    if kind == b"application/x-www-form-urlencoded":
        _take_urlencoded(body, form)
    elif kind != b"multipart/form-data":
        raise WrongMedia("a form is sent as multipart/form-data")
    elif not options.get(b"boundary"):
        raise BadBody("the content type of the form names no boundary")
    else:
        _take_multipart(body, options[b"boundary"], form)
    return form.form


def _take_multipart(body: bytes | bytearray, boundary: bytes, form: "_Collected") -> None:
    # The whole body lies in memory and is bounded already: no file on the disk is needed.
    config = {"MAX_MEMORY_FILE_SIZE": len(body) + 1, "MAX_FIELD_SIZE": MAX_FIELD_BYTES}
    try:
        parser = FormParser(
            "multipart/form-data", form.on_field, form.on_file, form.on_end, boundary, config=config
        )
        for start in range(0, len(body), _BLOCK_BYTES):
            parser.write(bytes(body[start : start + _BLOCK_BYTES]))
        parser.finalize()
        parser.close()
    except FormParserError as error:
        raise BadBody(f"the form is broken: {error}") from None
    if not form.complete:
        raise BadBody("the form ends in the middle of a part")


def _take_urlencoded(body: bytes | bytearray, form: "_Collected") -> None:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_PARTS)
    except UnicodeDecodeError as error:
        raise BadBody(f"the form is no UTF-8: {error.reason}") from None
    except ValueError:
        raise TooManyParts(f"a form has at most {MAX_PARTS} parts") from None
    for name, value in pairs:
        form.add_field(name, value)


class _Collected:
    """What the parser has found so far."""

    def __init__(self) -> None:
        self.form = Form()
        self.complete = False

    def on_end(self) -> None:
        self.complete = True

    def on_field(self, part: Any) -> None:
        self.add_field(_text(part.field_name), _text(part.value))

    def add_field(self, name: str, value: str) -> None:
        self._count()
        if len(value.encode()) > MAX_FIELD_BYTES:
            raise BodyTooLarge(f"a field of a form may have {MAX_FIELD_BYTES} bytes")
        self.form.fields.append((name, value))

    def on_file(self, part: Any) -> None:
        self._count()
        stored: BytesIO = part.file_object
        name = _text(part.file_name or b"")
        upload = Upload(name, stored.getvalue())
        part.close()
        self.form.files.append((_text(part.field_name), upload))

    def _count(self) -> None:
        if len(self.form.fields) + len(self.form.files) >= MAX_PARTS:
            raise TooManyParts(f"a form has at most {MAX_PARTS} parts")


def _text(raw: bytes | None) -> str:
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError as error:
        raise BadBody(f"a name or a field of the form is no UTF-8: {error.reason}") from None
