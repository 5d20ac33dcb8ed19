"""What is refused under ``/v1``, and how: nothing of it reaches an agent, so all of it asks one hub."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from openai import BadRequestError

from tests.agents.image_gen.pictures import plain
from tests.hub.edge.openai.conftest import Api, serving
from tests.hub.edge.openai.test_audio import TWO
from tests.hub.edge.openai.test_chat import HELLO
from tests.hub.edge.openai.test_tools import ASKED, WEATHER

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with serving(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"temperature": 3}, "temperature"),
        ({"modalities": ["audio"]}, "modalities.0"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"stop": ["a"] * 5}, "stop.list[constrained-str]"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "y"}]}, "messages"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_named(
    api: Api, more: dict[str, Any], param: str
) -> None:
    asked = {"model": "tiny-chat", "messages": HELLO, **more}
    with pytest.raises(BadRequestError) as caught:
        await api.client.chat.completions.create(**asked)
    assert caught.value.type == "invalid_request_error"
    assert str(caught.value.param).split(".")[0] == param.split(".")[0]
    assert api.planner.prompts == []


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"prompt": [1, 2]}, "send the text"),
        ({"prompt": [[1, 2]]}, "send the text"),
        ({"prompt": ["a", "b"]}, "one prompt"),
        ({"prompt": []}, "one prompt"),
        ({"prompt": " "}, "a prompt is expected"),
        ({"suffix": "the end"}, "not filled in"),
        ({"best_of": 3}, "less than or equal to 1"),
    ],
)
async def test_prompts_that_cannot_be_answered_are_refused(
    api: Api, more: dict[str, Any], match: str
) -> None:
    asked = {"model": "tiny-chat", "prompt": "hello", **more}
    with pytest.raises(BadRequestError, match=match):
        await api.client.completions.create(**asked)
    assert api.planner.prompts == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "no such type"},
        {"$ref": "https://example.org/schema"},
        {"$ref": "#"},
        {"const": 1 << 80},
        {"description": "x" * 70_000},
    ],
)
async def test_a_schema_that_engines_cannot_take_is_refused(api: Api, schema: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        await api.client.chat.completions.create(
            model="tiny-chat",
            messages=HELLO,
            response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        )
    assert caught.value.code == "bad_schema"
    tool: Any = {"type": "function", "function": {"name": "go", "parameters": schema}}
    with pytest.raises(BadRequestError) as caught:
        await api.client.chat.completions.create(model="tiny-chat", messages=HELLO, tools=[tool])
    assert caught.value.code == "bad_schema"


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([WEATHER, WEATHER], "auto"),
        ([WEATHER], {"type": "function", "function": {"name": "get_time"}}),
        ([{"type": "function", "function": {"name": "no spaces"}}], "auto"),
        ([{"type": "custom", "custom": {"name": "x"}}], "auto"),
    ],
)
async def test_tools_that_make_no_sense_are_refused(api: Api, tools: Any, choice: Any) -> None:
    with pytest.raises(BadRequestError):
        await api.client.chat.completions.create(
            model="tiny-chat", messages=ASKED, tools=tools, tool_choice=choice
        )


@pytest.mark.parametrize(
    ("more", "param", "match"),
    [
        ({"input": [1, 2, 3]}, "input", "send the texts"),
        ({"input": [[1, 2], [3]]}, "input", "send the texts"),
        ({"input": ""}, "input", None),
        ({"input": []}, "input", None),
        ({"input": ["ok", " "]}, "input", None),
        ({"input": "x" * 32_769}, "input", None),
        ({"dimensions": 32}, "dimensions", "makes vectors of 64 dimensions"),
        ({"encoding_format": "int8"}, "encoding_format", None),
    ],
)
async def test_what_cannot_be_embedded_is_refused(
    api: Api, more: dict[str, Any], param: str, match: str | None
) -> None:
    asked = {"model": "tiny-vectors", "input": "hello", **more}
    with pytest.raises(BadRequestError, match=match) as caught:
        await api.client.embeddings.create(**asked)
    assert str(caught.value.param).split(".")[0] == param


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"prompt": " "}, "prompt"),
        ({"n": 5}, "n"),
        ({"size": "100x100"}, "size"),
        ({"size": "1000x1001"}, "size"),
        ({"size": "big"}, "size"),
        ({"response_format": "url"}, "response_format"),
        ({"output_format": "webp"}, "output_format"),
        ({"background": "transparent"}, "background"),
        ({"stream": True}, "stream"),
        ({"quality": "best"}, "quality"),
        ({"extra_body": {"steps": 1_000}}, "steps"),
    ],
)
async def test_what_cannot_be_made_is_refused_and_named(
    api: Api, more: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await api.client.images.generate(**{"prompt": "a cat", **more})
    assert caught.value.param == param
    assert api.painter.orders == []
    if param != "response_format":
        with pytest.raises(BadRequestError) as caught:
            await api.client.images.edit(**{"prompt": "a cat", "image": plain(side=256), **more})
        assert caught.value.param == param


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"image": b"no picture"}, "bad_picture"),
        ({"image": plain()[:40]}, "bad_picture"),
        ({"mask": b"no picture"}, "bad_picture"),
        ({"mask": plain(side=300)[:80]}, "bad_picture"),
        ({"image": [plain(), plain()]}, "invalid_request"),
        ({"image": []}, "invalid_request"),
        ({"extra_body": {"strength": 2}}, "invalid_request"),
    ],
)
async def test_pictures_that_are_none_are_refused(
    api: Api, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await api.client.images.edit(**{"prompt": "a cat", "image": plain(side=256), **more})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"file": b"no sound at all"}, "bad_audio", None),
        ({"file": b""}, "bad_audio", None),
        ({"file": TWO[:-20_000]}, "bad_audio", None),
        ({"language": "english please"}, "invalid_request", "language"),
        ({"temperature": 2}, "invalid_request", "temperature"),
        ({"response_format": "diarized_json"}, "invalid_request", "response_format"),
        ({"timestamp_granularities": ["word"]}, "invalid_request", "timestamp_granularities"),
        ({"response_format": "srt", "stream": True}, "invalid_request", "stream"),
        ({"include": ["logprobs"]}, "invalid_request", "include"),
    ],
)
async def test_recordings_and_wishes_that_cannot_be_are_refused(
    api: Api, more: dict[str, Any], code: str, param: str | None
) -> None:
    asked = {"model": "whisper-1", "file": TWO, **more}
    with pytest.raises(BadRequestError) as caught:
        await api.client.audio.transcriptions.create(**asked)
    assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize(
    "more",
    [
        {"input": ""},
        {"input": "x" * 6_000},
        {"speed": 5},
        {"response_format": "midi"},
        {"voice": ""},
    ],
)
async def test_speech_that_cannot_be_is_refused(api: Api, more: dict[str, Any]) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": "hello", **more}
    with pytest.raises(BadRequestError) as caught:
        await api.client.audio.speech.create(**asked)
    assert str(caught.value.param).split(".")[0] in more
