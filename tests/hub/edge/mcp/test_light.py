"""Messages without their long texts, and chats taken apart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.mcp.light import MAX_LIGHT_BYTES, PUT_ASIDE_CHARS, lightened, restored
from hub.edge.mcp.messages import Spoken, read_messages
from hub.edge.mcp.tool import BadArguments
from hub.errors import BadBody, BodyTooLarge

LONG = "x" * (PUT_ASIDE_CHARS + 1)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(LONG),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_what_was_put_aside_comes_back_in_its_place(arguments: dict[str, object]) -> None:
    message = {"method": "tools/call", "params": {"name": "x", "arguments": arguments}}
    light = lightened(json.dumps(message).encode())
    left = json.loads(light.body)["params"].get("arguments")
    assert restored(left, light.aside) == arguments
    assert LONG.encode() not in light.body
    assert light.method == "tools/call"


def test_only_arguments_are_made_light() -> None:
    message = {"jsonrpc": "2.0", "id": LONG, "method": "tools/call", "params": {"name": LONG}}
    assert json.loads(lightened(json.dumps(message).encode()).body) == message
    for other in ([1, LONG], "text", 5, None, {"params": [LONG]}, {"method": 5}):
        light = lightened(json.dumps(other).encode())
        assert (json.loads(light.body), light.method) == (other, "")


def test_the_name_of_a_text_that_was_put_aside_is_nobodys_to_guess() -> None:
    message = {"params": {"arguments": {"file": LONG, "other": "aside-0-0"}}}
    first, second = (lightened(json.dumps(message).encode()) for _ in range(2))
    assert first.aside.keys().isdisjoint(second.aside)
    assert restored({"other": "aside-0-0"}, first.aside) == {"other": "aside-0-0"}


def test_what_is_still_heavy_is_refused() -> None:
    short = "x" * PUT_ASIDE_CHARS
    many = [short] * (MAX_LIGHT_BYTES // PUT_ASIDE_CHARS + 1)
    with pytest.raises(BodyTooLarge):
        lightened(json.dumps({"params": {"arguments": {"texts": many}}}).encode())
    with pytest.raises(BadBody):
        lightened(b"{")


def test_messages_come_as_text_as_parts_and_with_pictures() -> None:
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    read = read_messages(
        [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "What"}, url]},
            {"role": "user", "content": "And this?", "images": ["BB=="]},
            {"role": "assistant", "content": ""},
        ]
    )
    assert read == [
        Spoken("system", "Be kind."),
        Spoken("user", "What", ("data:image/png;base64,AA==",)),
        Spoken("user", "And this?", ("BB==",)),
        Spoken("assistant", ""),
    ]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"content": "x"}],
        [{"role": 5, "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": [{"type": "audio"}]}],
        [{"role": "user", "content": ["x"]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "/etc/x"}}]}],
        [{"role": "user", "content": "x", "images": "AA=="}],
        [{"role": "user", "content": "x", "images": [5]}],
        [{"role": "user", "content": "x" * 200_000}, {"role": "user", "content": "x" * 60_000}],
        [{"role": "user", "content": "x"}] * 257,
    ],
)
def test_messages_that_are_written_otherwise_are_refused(messages: list[dict[str, object]]) -> None:
    with pytest.raises(BadArguments):
        read_messages(messages)
