"""The API under ``/v1`` as its users meet it: OpenAI's own client, a hub, and agents in processes of
their own."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from openai import AsyncOpenAI, NotFoundError

from agents.image_gen.png import size_in
from hub.edge.audio_formats import encode
from protocols.marks import MarkKind, marked_chunk
from tests.agents.image_gen.pictures import plain
from tests.e2e.processes import CONVERSATION, SCRIPTED, Processes, running, until

pytest.importorskip("PIL", reason="robot-hub[vision] is not installed")
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

EVERYTHING = {
    **SCRIPTED,
    "HUB_AGENTS": f"{CONVERSATION},vision,memory,image_gen",
    "VISION_BACKEND": "scripted",
    "EMBED_BACKEND": "scripted",
    "IMAGE_BACKEND": "scripted",
    "MODEL_ALIASES": "my-model=",
}
HELLO: list[Any] = [{"role": "user", "content": "hello there robot"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Processes]:
    async with running(tmp_path_factory.mktemp("hub"), EVERYTHING) as processes:
        await processes.ready()
        yield processes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(hub: Processes) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{hub.url}/v1", api_key="none", timeout=30) as made:

        async def all_serve() -> bool:
            kinds = {(model.model_extra or {})["kind"] for model in (await made.models.list()).data}
            return len(kinds) == 6

        await until(all_serve)
        yield made


async def test_texts(client: AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    assert whole.choices[0].message.content == "hello there robot"
    assert whole.usage is not None
    assert whole.usage.total_tokens == 6
    stream = await client.chat.completions.create(model="my-model", messages=HELLO, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(pieces) == "hello there robot"
    with pytest.raises(NotFoundError):
        await client.chat.completions.create(model="another", messages=HELLO)


async def test_pictures(client: AsyncOpenAI) -> None:
    made = await client.images.generate(prompt="a red ball", size="256x256", n=2)
    pictures = [base64.b64decode(each.b64_json or "") for each in made.data or ()]
    assert [size_in(picture) for picture in pictures] == [(256, 256)] * 2
    edited = await client.images.edit(image=pictures[0], mask=plain(side=256), prompt="bluer")
    assert len(edited.data or ()) == 1
    url = f"data:image/png;base64,{base64.b64encode(pictures[0]).decode()}"
    shown: list[Any] = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    seen = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": shown}]
    )
    assert seen.choices[0].message.content == "1 pictures. what is this?"


async def test_sound(client: AsyncOpenAI) -> None:
    speech = await client.audio.speech.create(
        model="tts-1", voice="alloy", input="one two three", response_format="wav"
    )
    heard = await client.audio.transcriptions.create(model="whisper-1", file=speech.content)
    assert heard.text == ""
    marked = marked_chunk(MarkKind.START, 1_600, "good morning").ljust(64_000, b"\0")
    told = await client.audio.transcriptions.create(
        model="whisper-1", file=encode(marked, "flac", 16_000), response_format="srt"
    )
    assert told == "1\n00:00:00,000 --> 00:00:02,000\ngood morning\n\n"


async def test_vectors(client: AsyncOpenAI) -> None:
    answer = await client.embeddings.create(
        model="text-embedding-3-large", input=["a cat", "a cat", "the sea"]
    )
    first, second, third = (each.embedding for each in answer.data)
    assert first == second != third


async def test_a_stream_that_is_left_ends_at_its_agent(client: AsyncOpenAI, hub: Processes) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="word " * 900, response_format="pcm"
    ) as answer:
        async for _ in answer.iter_bytes(1_024):
            break

    async def over() -> bool:
        jobs = await client.with_options(base_url=hub.url).get("/jobs", cast_to=object)
        return json.loads(json.dumps(jobs))["jobs"][0]["state"] == "cancelled"

    await until(over)
