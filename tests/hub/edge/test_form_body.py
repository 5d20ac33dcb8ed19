"""Forms from outside, taken apart within bounds."""

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.form_body import parse_form
from hub.edge.limits import MAX_FIELD_BYTES, MAX_PARTS
from hub.errors import BadBody, BodyTooLarge, TooManyParts, WrongMedia
from protocols.errors import HubError


def sent(**parts: object) -> tuple[str, list[bytes]]:
    request = httpx.Request("POST", "http://hub/", **parts)  # type: ignore[arg-type]
    return request.headers["content-type"], [request.read()]


def test_fields_and_files_come_as_they_were_sent() -> None:
    sound = bytes(range(256)) * 9_000
    form = parse_form(
        *sent(
            data={"model": "whisper-1", "timestamp_granularities[]": ["word", "segment"]},
            files={"file": ("Grüße/../x.wav", sound, "audio/wav")},
        )
    )
    assert form.text("model") == "whisper-1"
    assert form.text("language") is None
    assert form.texts("timestamp_granularities") == ["word", "segment"]
    upload = form.file("file")
    assert upload is not None
    assert (upload.name, upload.content.whole()) == ("Grüße/../x.wav", sound)
    assert form.file("image") is None


def test_a_form_of_fields_alone_may_be_urlencoded() -> None:
    assert parse_form(*sent(data={"prompt": "a&b=ü"})).text("prompt") == "a&b=ü"


def test_a_form_of_too_many_parts_is_refused() -> None:
    parse_form(*sent(data={"n": ["x"] * MAX_PARTS}, files={}))
    many = {f"f{n}": (f"{n}.wav", b"x") for n in range(MAX_PARTS + 1)}
    with pytest.raises(TooManyParts):
        parse_form(*sent(files=many))
    with pytest.raises(TooManyParts):
        parse_form(*sent(data={"n": ["x"] * (MAX_PARTS + 1)}))


def test_a_field_that_is_as_large_as_a_file_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        parse_form(*sent(data={"prompt": "x" * (MAX_FIELD_BYTES + 1)}, files={"file": ("x", b"x")}))


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("application/json", WrongMedia),
        ("", WrongMedia),
        ("multipart/form-data", BadBody),
        ("multipart/form-data; boundary=" + "x" * 500, BadBody),
    ],
)
def test_what_is_no_form_says_so(content_type: str, error: type[HubError]) -> None:
    with pytest.raises(error):
        parse_form(content_type, [b"--x\r\n\r\n"])


@pytest.mark.parametrize("cut", [3, 20, 60, 90])
def test_a_form_that_ends_too_early_is_broken(cut: int) -> None:
    content_type, (body,) = sent(data={"a": "b"}, files={"file": ("x.wav", b"12345678")})
    with pytest.raises(BadBody):
        parse_form(content_type, [body[:-cut]])


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_form_or_a_coded_error(body: bytes) -> None:
    for content_type in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        with contextlib.suppress(BadBody, BodyTooLarge, TooManyParts):
            parse_form(content_type, [b"--x\r\n" + body])


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("base64", b"YSBi"), ("quoted-printable", b"a=20b"), ("8bit", b"a b"), ("odd", b"a b")],
)
def test_a_file_is_decoded_as_its_part_says(encoding: str, written: bytes) -> None:
    head = b'Content-Disposition: form-data; name="f"; filename="x"\r\nContent-Transfer-Encoding: '
    body = b"--x\r\n" + head + encoding.encode() + b"\r\n\r\n" + written + b"\r\n--x--\r\n"
    upload = parse_form("multipart/form-data; boundary=x", [body]).file("f")
    assert upload is not None
    assert upload.content.whole() == b"a b"


def test_a_part_without_a_name_is_broken() -> None:
    with pytest.raises(BadBody):
        parse_form("multipart/form-data; boundary=x", [b"--x\r\nA: b\r\n\r\nc\r\n--x--\r\n"])
