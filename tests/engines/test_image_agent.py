"""The image agent's process on Stable Diffusion XL, on a real bus."""

import asyncio
from pathlib import Path

import pytest

from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from protocols.messages.job import JobCancel, WorkHold
from tests.e2e.test_image_agent import image_agent
from tests.engines.marks import ENGINE
from tests.engines.tiny_sdxl import make_sdxl

pytestmark = ENGINE
pytest.importorskip("diffusers", reason="robot-hub[image] is not installed")
pytest.importorskip("torch", reason="robot-hub[llm] is not installed")

PATIENCE_S = 120.0
SMALL = ImageRequest(prompt="a red ball", width=256, height=256, steps=2, seed=5)
LONG = ImageRequest(prompt="a red ball", width=256, height=256, steps=100, count=4)


async def test_a_cancelled_job_gives_way_and_a_held_one_goes_on(tmp_path: Path) -> None:
    weights = make_sdxl(tmp_path / "model")
    environment = {
        "IMAGE_BACKEND": "diffusers", "IMAGE_MODEL_PATH": str(weights), "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1", "IMAGE_DEVICE": "cpu",
    }  # fmt: skip
    async with image_agent(tmp_path, PATIENCE_S, **environment) as hub:
        untouched = await hub.picture(SMALL, job=1)
        hub.order(LONG, job=2)
        await hub.next(ImageProgress, job=2)
        hub.order(JobCancel(), job=2)
        hub.order(WorkHold(held=True))
        hub.order(SMALL, job=3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await hub.next(ImageDone, job=3)
        hub.order(WorkHold(held=False))
        done, _ = await hub.next(ImageDone, job=3)
        assert await hub.take(done.images[0], job=3) == untouched
