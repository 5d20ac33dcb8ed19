"""``/v1/images``, asked by OpenAI's own client."""

import asyncio
import base64
from io import BytesIO

import httpx
import numpy as np
import pytest
from openai import InternalServerError
from openai.types import ImagesResponse

from agents.image_gen.png import size_in
from hub.edge.openai.image_bodies import size_like
from tests.agents.image_gen.pictures import half_white, plain
from tests.hub.edge.openai.conftest import Api
from tests.virtual_time import until

pytest.importorskip("PIL", reason="robot-hub[image] is not installed")


def pictures(answer: ImagesResponse) -> list[bytes]:
    return [base64.b64decode(image.b64_json or "") for image in answer.data or ()]


async def test_pictures_are_made(api: Api) -> None:
    answer = await api.client.images.generate(
        model="dall-e-3",
        prompt="a red ball",
        n=2,
        size="512x256",
        quality="low",
        response_format="b64_json",
        style="vivid",
        user="me",
        extra_body={"seed": 5, "negative_prompt": "blue", "guidance": 3},
    )
    made = pictures(answer)
    assert [size_in(picture) for picture in made] == [(512, 256)] * 2
    assert made[0] != made[1]
    (order,) = api.painter.orders
    assert (order.prompt, order.negative_prompt, order.guidance) == ("a red ball", "blue", 3)
    assert (order.steps, order.seeds) == (15, (5, 6))
    assert answer.size == "512x256"
    assert [image.model_extra for image in answer.data or ()] == [{"seed": 5}, {"seed": 6}]
    assert (answer.model_extra or {})["model"] == "tiny-painter"


async def test_the_seed_that_was_drawn_makes_the_same_picture_again(api: Api) -> None:
    first = await api.client.images.generate(prompt="a cat", size="256x256")
    seed = ((first.data or [])[0].model_extra or {})["seed"]
    again = await api.client.images.generate(
        prompt="a cat", size="256x256", extra_body={"seed": seed}
    )
    assert pictures(first) == pictures(again)
    other = await api.client.images.generate(prompt="a cat", size="256x256")
    assert pictures(other) != pictures(first)


async def test_a_picture_is_made_out_of_another(api: Api) -> None:
    source = plain(side=256)
    answer = await api.client.images.edit(
        model="gpt-image-1", image=source, prompt="bluer", extra_body={"strength": 0.5}
    )
    assert [size_in(picture) for picture in pictures(answer)] == [(256, 256)]
    (order,) = api.painter.orders
    assert (order.source, order.mask, order.strength) == (source, b"", 0.5)


async def test_what_is_transparent_in_a_mask_is_made_anew(api: Api) -> None:
    from PIL import Image

    see_through = Image.new("RGBA", (256, 256), (0, 0, 0, 255))
    see_through.paste((0, 0, 0, 0), (128, 0, 256, 256))
    encoded = BytesIO()
    see_through.save(encoded, "PNG")
    await api.client.images.edit(
        image=[("a.png", plain(side=256))],
        mask=encoded.getvalue(),
        prompt="a hat",
        n=2,
        size="512x512",
    )
    (order,) = api.painter.orders
    mask = np.asarray(Image.open(BytesIO(order.mask)).convert("L"))
    assert (mask[:, :128] == 0).all()
    assert (mask[:, 128:] == 255).all()
    assert (order.width, order.height, len(order.seeds)) == (512, 512, 2)

    white = half_white(256)
    await api.client.images.edit(image=plain(side=256), mask=white, prompt="a hat")
    assert api.painter.orders[-1].mask == white


async def test_a_picture_is_not_taken_in_another_content_type(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
        answer = await http.post("/v1/images/edits", json={"prompt": "a cat"})
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media"


async def test_an_engine_that_fails_and_a_client_that_leaves(api: Api) -> None:
    with pytest.raises(InternalServerError) as caught:
        await api.client.images.generate(prompt="!out_of_memory", size="256x256")
    assert (caught.value.status_code, caught.value.code) == (502, "out_of_memory")

    async with asyncio.TaskGroup() as tasks:
        api.painter.slow_down(0.05)
        body = {"prompt": "a cat", "size": "256x256", "steps": 100}
        async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
            asking = tasks.create_task(http.post("/v1/images/generations", json=body))
            await until(lambda: len(api.painter.orders) == 2, within_s=10)
            asking.cancel()
    await api.cancelled()
    assert api.there.desk.records()[0].state == "cancelled"


@pytest.mark.parametrize(
    ("sent", "made"),
    [((1024, 768), (1024, 768)), ((100, 60), (256, 256)), ((6000, 3000), (2048, 1024)),
     ((1023, 1021), (1024, 1024)), ((9000, 100), (2048, 256))],
)  # fmt: skip
def test_a_picture_is_made_in_the_size_of_the_one_it_is_made_of(
    sent: tuple[int, int], made: tuple[int, int]
) -> None:
    assert size_like(*sent) == made
