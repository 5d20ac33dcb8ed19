"""LocalAI's four kinds, its ``/api/generate-image`` and its embeddings, under its base path."""

import base64
import struct
from typing import Any

import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError
from hub.jobs.job import JobClass, Rank
from hub.jobs.orders import JobFact
from protocols.messages.agent import AgentKind
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.image import ImageDone, ImageRequest
from protocols.messages.memory import EmbedDone
from tests.fakes.pictures import claimed
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_http import Agent

PICTURE = claimed(64, 48)
CHAT = [{"role": "user", "content": "hello"}]
SHOWN = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is it?"},
            {
                "type": "image_url",
                "image_url": {
                    "url": f"data:image/jpeg;base64,{base64.b64encode(PICTURE).decode()}"
                },
            },
        ],
    }
]
TEXT: list[JobFact | JobError | None] = [
    JobFact(ChatDelta(text="Hello ")),
    JobFact(ChatDelta(text="there.")),
    JobFact(ChatDone(model="qwen", prompt_tokens=3, completion_tokens=2)),
]


def painted(width: int, height: int) -> list[JobFact | JobError | None]:
    ref = BlobRef(index=0, size_bytes=len(PICTURE), media_type="image/jpeg")
    done = ImageDone(images=(ref,), seeds=(7,), width=width, height=height, model="flux")
    return [JobFact(done, (PICTURE,))]


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    kinds = (AgentKind.PLANNER, AgentKind.IMAGE_GEN, AgentKind.VISION, AgentKind.MEMORY)
    edge.report = HubReport(
        agents=tuple(Agent(kind, backend="some", model="theirs") for kind in kinds)
    )


async def test_a_picture_is_made_of_what_stands_in_the_query(edge: Edge) -> None:
    edge.jobs.facts = painted(640, 360)
    wanted = {"prompt": "a red ball", "model": "Flux-Dev", "step": 50, "size": "640x360"}

    answer = await edge.http.post("/localai/api/generate-image", params=wanted)

    assert answer.status_code == 200
    (item,) = answer.json()["data"]
    assert base64.b64decode(item["b64_json"]) == PICTURE
    order = edge.jobs.wanted[-1]
    assert isinstance(order.request, ImageRequest)
    assert (order.request.prompt, order.request.steps) == ("a red ball", 50)
    assert (order.request.width, order.request.height) == (640, 360)
    assert (order.model, order.caller.job_class) == ("", JobClass.IMAGE)


async def test_what_the_query_leaves_out_is_as_documented(edge: Edge) -> None:
    edge.jobs.facts = painted(640, 360)
    await edge.http.post("/localai/api/generate-image?prompt=a%20boat")
    order = edge.jobs.wanted[-1].request
    assert isinstance(order, ImageRequest)
    assert (order.steps, order.width, order.height) == (50, 640, 360)


@pytest.mark.parametrize(
    "query", ["", "prompt=", "prompt=x&size=640", "prompt=x&size=641x360", "prompt=x&step=0"]
)
async def test_a_query_of_no_picture_is_refused(edge: Edge, query: str) -> None:
    answer = await edge.http.post(f"/localai/api/generate-image?{query}")
    assert answer.status_code == 422
    assert edge.jobs.wanted == []


@pytest.mark.parametrize(
    ("path", "body", "kind", "rank"),
    [
        ("txt2txt", {"messages": CHAT, "temperature": 0}, AgentKind.PLANNER, Rank.FIRST),
        ("img2txt", {"messages": SHOWN, "temperature": 0}, AgentKind.VISION, Rank.IMG2TXT),
    ],
)
async def test_texts_are_answered_whole(
    edge: Edge, path: str, body: dict[str, Any], kind: AgentKind, rank: int
) -> None:
    edge.jobs.facts = TEXT

    answer = await edge.http.post(
        f"/localai/{path}", json={"model": "Qwen2.5-32B-Instruct", **body}
    )

    assert answer.json() == {
        "text": "Hello there.",
        "model": "qwen",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    order = edge.jobs.wanted[-1]
    assert isinstance(order.request, ChatRequest)
    assert (order.agent, order.caller.rank, order.request.temperature) == (kind, rank, 0)


@pytest.mark.parametrize(
    ("path", "more", "side", "rank"),
    [
        ("txt2img", {}, 256, Rank.TXT2IMG),
        ("img2img", {"file": base64.b64encode(PICTURE).decode()}, 512, Rank.IMG2IMG),
    ],
)
async def test_pictures_have_the_documented_sides(
    edge: Edge, path: str, more: dict[str, Any], side: int, rank: int
) -> None:
    edge.jobs.facts = painted(side, side)

    answer = await edge.http.post(
        f"/localai/{path}", json={"model": "Flux-Dev", "prompt": "a boat", **more}
    )

    assert (answer.status_code, answer.json()["size"]) == (200, f"{side}x{side}")
    order = edge.jobs.wanted[-1]
    assert isinstance(order.request, ImageRequest)
    assert (order.request.width, order.request.height) == (side, side)
    assert order.caller.rank == rank
    assert order.blobs == ((PICTURE,) if more else ())


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("txt2txt", {"model": ""}, 422),
        ("txt2txt", {"model": "", "messages": SHOWN}, 400),
        ("img2txt", {"model": "", "messages": CHAT}, 400),
        ("txt2img", {"model": "", "prompt": "x", "height": 7}, 422),
        ("img2img", {"model": "", "prompt": "x", "file": "no picture"}, 400),
    ],
)
async def test_what_does_not_fit_is_refused(
    edge: Edge, path: str, body: dict[str, Any], status: int
) -> None:
    answer = await edge.http.post(f"/localai/{path}", json=body)
    assert answer.status_code == status
    assert edge.jobs.wanted == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(AgentMissing("nobody"), 503), (Busy("later", retry_after_s=3), 429)],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("txt2txt", {"model": "", "messages": CHAT}),
        ("txt2img", {"model": "", "prompt": "x"}),
        ("ollama/api/embed", {"input": "x"}),
    ],
)
async def test_failures_have_the_hubs_own_shape(
    edge: Edge, path: str, body: dict[str, Any], error: JobError, status: int
) -> None:
    edge.jobs.facts = [error]
    answer = await edge.http.post(f"/localai/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error.code)
    assert ("retry-after" in answer.headers) is (status == 429)


@pytest.mark.parametrize("given", ["one", ["one", "two"]])
async def test_texts_become_vectors(edge: Edge, given: str | list[str]) -> None:
    count = 1 if isinstance(given, str) else len(given)
    rows = [[1.0, 0.0], [0.0, 1.0]][:count]
    data = b"".join(struct.pack("<2f", *row) for row in rows)
    vectors = BlobRef(index=0, size_bytes=len(data))
    done = EmbedDone(vectors=vectors, count=count, dimensions=2, tokens=count, model="minilm")
    edge.jobs.facts = [JobFact(done, (data,))]

    answer = await edge.http.post("/localai/ollama/api/embed", json={"input": given})

    assert answer.json() == {"model": "minilm", "embeddings": rows, "prompt_eval_count": count}
    assert edge.jobs.wanted[-1].agent is AgentKind.MEMORY


@pytest.mark.parametrize("given", ["", " ", [], ["x"] * 65, 5])
async def test_what_is_no_text_has_no_vector(edge: Edge, given: object) -> None:
    answer = await edge.http.post("/localai/ollama/api/embed", json={"input": given})
    assert answer.status_code == 422
