"""What the Fictures AI server tells of itself, and its pictures."""

import asyncio
import base64
from dataclasses import replace
from typing import Any

import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, JobError
from hub.jobs.job import JobClass
from hub.jobs.orders import JobFact
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.blob import BlobRef
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.fictures.test_text import MIND
from tests.hub.edge.test_http import Agent

PAINTER = Agent(
    AgentKind.IMAGE_GEN,
    backend="diffusers",
    model="stabilityai/stable-diffusion-xl-base-1.0",
    info={"device": "cuda"},
)
IMAGE = "/api/v1/images/generate"
PNG = b"\x89PNG\r\n\x1a\nnot decoded here"


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    edge.report = HubReport(agents=(MIND, PAINTER))


def paints(edge: Edge, width: int, height: int, seed: int) -> None:
    ref = BlobRef(index=0, size_bytes=len(PNG), media_type="image/png")
    done = ImageDone(images=(ref,), seeds=(seed,), width=width, height=height, model="sdxl")
    progress = ImageProgress(image=0, step=1, steps=2)
    edge.jobs.facts = [JobFact(progress), JobFact(done, (PNG,))]


def asked(edge: Edge) -> ImageRequest:
    request = edge.jobs.wanted[-1].request
    assert isinstance(request, ImageRequest)
    return request


@pytest.mark.parametrize("base", ["", "/fictures"])
async def test_a_picture_comes_as_a_data_uri(edge: Edge, base: str) -> None:
    paints(edge, 512, 512, 7)

    answer = await edge.http.post(
        base + IMAGE,
        json={
            "prompt": "A serene mountain landscape at sunset",
            "negative_prompt": "blurry, low quality",
            "width": 512,
            "height": 512,
            "num_inference_steps": 20,
            "guidance_scale": 7.5,
            "seed": 7,
        },
    )

    assert answer.status_code == 200
    assert answer.json() == {
        "image_url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
        "model": "sdxl",
        "width": 512,
        "height": 512,
        "seed": 7,
    }
    request = asked(edge)
    assert (request.width, request.height, request.steps) == (512, 512, 20)
    assert (request.guidance, request.seed, request.negative_prompt) == (
        7.5,
        7,
        "blurry, low quality",
    )
    assert edge.jobs.wanted[-1].caller.job_class is JobClass.IMAGE


async def test_defaults_are_the_documents_and_the_seed_is_drawn(edge: Edge) -> None:
    seeds = set()
    for _ in range(3):
        paints(edge, 1344, 768, 1)
        await edge.http.post(IMAGE, json={"prompt": "a boat"})
        request = asked(edge)
        assert (request.width, request.height) == (1344, 768)
        assert (request.steps, request.guidance) == (30, 7.5)
        assert 0 <= request.seed < 2**32 - 1
        seeds.add(request.seed)
    assert len(seeds) == 3


async def test_a_seed_of_nought_is_one(edge: Edge) -> None:
    paints(edge, 256, 256, 0)
    await edge.http.post(IMAGE, json={"prompt": "a boat", "seed": 0})
    assert asked(edge).seed == 0


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"width": 513}, 400, "multiples of 8"),
        ({"height": 770}, 400, "multiples of 8"),
        ({"prompt": "a" * 8_001}, 400, "Prompt too long"),
        ({"negative_prompt": "a" * 8_001}, 400, "Prompt too long"),
        ({"prompt": ""}, 422, "prompt"),
        ({"width": 255}, 422, "width"),
        ({"height": 2_049}, 422, "height"),
        ({"num_inference_steps": 0}, 422, "num_inference_steps"),
        ({"num_inference_steps": 101}, 422, "num_inference_steps"),
        ({"guidance_scale": 0.9}, 422, "guidance_scale"),
        ({"guidance_scale": 20.1}, 422, "guidance_scale"),
        ({"seed": 2**32}, 422, "seed"),
    ],
)
async def test_what_cannot_be_painted_is_refused(
    edge: Edge, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = await edge.http.post(IMAGE, json={"prompt": "a boat", **body})
    assert answer.status_code == status
    assert reason in str(answer.json()["detail"])
    assert edge.jobs.wanted == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AgentMissing("no image_gen is ready"), 503),
        (JobError("1024x1024 pixels were asked for", "bad_size"), 400),
        (JobError("out of memory", "image_failed"), 502),
    ],
)
async def test_painters_that_fail_are_told_apart(edge: Edge, error: JobError, status: int) -> None:
    edge.jobs.facts = [error]
    answer = await edge.http.post(IMAGE, json={"prompt": "a boat"})
    assert answer.status_code == status
    assert answer.json() == {"detail": f"Image generation failed: {error}"}


async def test_a_client_that_goes_away_cancels_its_picture(edge: Edge) -> None:
    edge.jobs.facts = [None]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await edge.http.post(IMAGE, json={"prompt": "a boat"})
    async with asyncio.timeout(5):
        await edge.jobs.cancelled.wait()


async def test_its_health_says_healthy_whatever_there_is(edge: Edge) -> None:
    body = (await edge.http.get("/fictures/health")).json()
    assert body["status"] == "healthy"
    assert body["models"] == {
        "text": "google/gemma-2b-it",
        "image": "stabilityai/stable-diffusion-xl-base-1.0",
    }
    edge.report = HubReport()
    answer = await edge.http.get("/fictures/health")
    assert answer.status_code == 200
    assert answer.json()["models"] == {"text": None, "image": None}


async def test_its_models_are_listed_with_what_they_run_on(edge: Edge) -> None:
    body = (await edge.http.get("/api/v1/models")).json()

    assert body == {
        "text_generation": [
            {
                "name": "google/gemma-2b-it",
                "type": "text-generation",
                "framework": "vLLM",
                "max_tokens": 4096,
                "initialized": True,
            }
        ],
        "image_generation": [
            {
                "name": "stabilityai/stable-diffusion-xl-base-1.0",
                "type": "image-generation",
                "framework": "diffusers",
                "device": "cuda",
                "initialized": True,
            }
        ],
    }
    assert (await edge.http.get("/fictures/api/v1/models")).json() == body


async def test_the_lists_of_one_kind_have_ids_and_a_status(edge: Edge) -> None:
    (text,) = (await edge.http.get("/api/v1/text/models")).json()["models"]
    (image,) = (await edge.http.get("/api/v1/images/models")).json()["models"]

    assert (text["id"], text["status"], text["max_tokens"]) == (text["name"], "initialized", 4096)
    assert (image["device"], image["framework"]) == ("cuda", "diffusers")


async def test_an_agent_that_loads_serves_no_model_yet(edge: Edge) -> None:
    edge.report = HubReport(agents=(replace(MIND, state=AgentState.LOADING),))
    assert (await edge.http.get("/api/v1/text/models")).json() == {"models": []}


async def test_its_index_has_its_endpoints_and_all_of_them_are_there(edge: Edge) -> None:
    body = (await edge.http.get("/fictures/")).json()

    assert body.keys() == {"message", "version", "description", "endpoints"}
    for path in body["endpoints"].values():
        base = "" if path == "/docs" else "/fictures"
        assert (await edge.http.get(base + path)).status_code in (200, 405)
