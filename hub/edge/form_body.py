"""Forms from outside (``multipart/form-data``, RFC 7578), bounded in parts and in their sizes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from hub.edge.bulk import Piece, blocks, joined
from hub.edge.held_body import held_of, off_loop
from hub.edge.limits import MAX_FIELD_BYTES, MAX_PARTS, PARSED_IN_PLACE_BYTES
from hub.edge.pieces import Pieces, taken_from
from hub.errors import BadBody, BodyTooLarge, TooManyParts, WrongMedia


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form. ``name`` is what its sender calls it: never a path to write to."""

    name: str
    content: Pieces

    async def whole(self) -> bytes:
        """All of its content in one."""
        if len(self.content) <= PARSED_IN_PLACE_BYTES:
            return self.content.whole()
        return await off_loop(self.content.whole)


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
    held = held_of(request)
    if held is None:
        return parse_form(content_type, [await request.body()])
    if held.size <= PARSED_IN_PLACE_BYTES:
        return parse_form(content_type, held.pieces)
    # What was taken apart is let go at once: to hold it longer is to hold it twice.
    return await off_loop(parse_form, content_type, taken_from(held.pieces))


def parse_form(content_type: str, pieces: Iterable[Piece]) -> Form:
    """A body taken apart that came in ``pieces``; raises as ``read_form`` does."""
    kind, options = parse_options_header(content_type)
    form = _Collected()
    if kind == b"application/x-www-form-urlencoded":
        _take_urlencoded(joined(list(pieces)), form)
    elif kind != b"multipart/form-data":
        raise WrongMedia("a form is sent as multipart/form-data")
    elif not options.get(b"boundary"):
        raise BadBody("the content type of the form names no boundary")
    else:
        _take_multipart(pieces, options[b"boundary"], form)
    return form.form


def _take_multipart(pieces: Iterable[Piece], boundary: bytes, form: "_Collected") -> None:
    part = _Part(form)
    try:
        parser = MultipartParser(boundary, part.callbacks())
        for block in blocks(pieces):
            parser.write(block)
        parser.finalize()
    except FormParserError as error:
        raise BadBody(f"the form is broken: {error}") from None
    if not part.was_last:
        raise BadBody("the form ends in the middle of a part")


def _take_urlencoded(body: Piece, form: "_Collected") -> None:
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

    def add_field(self, name: str, value: str) -> None:
        self._count()
        if len(value.encode()) > MAX_FIELD_BYTES:
            raise BodyTooLarge(f"a field of a form may have {MAX_FIELD_BYTES} bytes")
        self.form.fields.append((name, value))

    def add_file(self, name: str, upload: Upload) -> None:
        self._count()
        self.form.files.append((name, upload))

    def _count(self) -> None:
        if len(self.form.fields) + len(self.form.files) >= MAX_PARTS:
            raise TooManyParts(f"a form has at most {MAX_PARTS} parts")


class _Part:
    """The part that is being read. The parser's own files grow in one block, which is copied whole
    time and again."""

    def __init__(self, form: _Collected) -> None:
        self._form = form
        self._begin()
        self.was_last = False

    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _begin(self) -> None:
        self._field, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._options: dict[bytes, bytes] = {}
        self._content = Pieces()
        self._writer: Pieces | Base64Decoder | QuotedPrintableDecoder = self._content

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._field.lower()] = self._value.strip(b" \t")
        self._field, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        _, self._options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in self._options:
            raise FormParserError("a part has no name")
        match self._headers.get(b"content-transfer-encoding", b"").lower():
            case b"base64":
                self._writer = Base64Decoder(self._content)
            case b"quoted-printable":
                self._writer = QuotedPrintableDecoder(self._content)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._writer.write(data[start:end])
        if b"filename" not in self._options and len(self._content) > MAX_FIELD_BYTES:
            raise BodyTooLarge(f"a field of a form may have {MAX_FIELD_BYTES} bytes")

    def _on_part_end(self) -> None:
        if not isinstance(self._writer, Pieces):
            self._writer.finalize()
        name = _text(self._options[b"name"])
        if b"filename" in self._options:
            upload = Upload(_text(self._options[b"filename"]), self._content)
            self._form.add_file(name, upload)
        else:
            self._form.add_field(name, _text(self._content.whole()))

    def _on_end(self) -> None:
        self.was_last = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadBody(f"a name or a field of the form is no UTF-8: {error.reason}") from None
