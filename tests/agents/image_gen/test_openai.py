"""The painter that asks a server, against real sockets."""

import asyncio
import base64
from contextlib import aclosing
from io import BytesIO

import pytest

from agents.image_gen.backends.base import Made, Order
from agents.image_gen.backends.openai import OpenAiPainter, Server, preferred
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.progress import reporting_to
from protocols.messages.agent import AgentProgress
from tests.agents.image_gen.pictures import bomb, half_white, plain
from tests.fakes.image_server import Behaviour, ImageServer

ORDER = Order("a red ball", "blue|green", width=64, height=72, steps=9, guidance=5.0, seeds=(7,))
OPENAI = ("seed", "step", "cfg_scale")
"""Fields that OpenAI's own server does not know."""
PATIENCE_S = 10.0


def painter(server: ImageServer, **options: object) -> OpenAiPainter:
    return OpenAiPainter(Server(server.base_url, **options), Latch())  # type: ignore[arg-type]


async def picture(painter: OpenAiPainter, order: Order = ORDER) -> Made:
    async with asyncio.timeout(PATIENCE_S), aclosing(painter.paint(order)) as news:
        return [one async for one in news if isinstance(one, Made)][-1]


async def code_of(server: ImageServer, order: Order = ORDER) -> tuple[str, str]:
    """Code and sentence of the error that ``order`` ends with."""
    asking = painter(server, timeout_s=2.0)
    with pytest.raises(AgentError) as caught:
        await picture(asking, order)
    await asking.close()
    return caught.value.code, str(caught.value)


async def test_localai_is_told_everything() -> None:
    async with ImageServer() as server:
        asking = painter(server, api_key="secret")
        await asking.start()
        made = await picture(asking)
        await asking.close()
    assert (made.width, made.height) == (64, 72)
    assert server.asked[0].route == "generations"
    assert server.asked[0].fields == {
        "model": "stablediffusion", "prompt": "a red ball|blue,green", "size": "64x72", "n": 1,
        "seed": 7, "step": 9, "cfg_scale": 5.0, "response_format": "b64_json",
    }  # fmt: skip
    assert all("authorization: bearer secret" in head.lower() for head in server.heads)


async def test_a_server_that_knows_no_seeds_is_asked_without_them_and_that_is_counted() -> None:
    async with ImageServer(Behaviour(unknown=OPENAI)) as server:
        asking = painter(server, model="dall-e-2")
        await picture(asking)
        await picture(asking, ORDER._replace(negative_prompt=""))
        await asking.close()
    assert [OPENAI[0] in one.fields for one in server.asked] == [True, False, False]
    assert server.asked[1].fields == {
        "model": "dall-e-2", "prompt": "a red ball\nAvoid: blue|green", "size": "64x72", "n": 1,
        "response_format": "b64_json",
    }  # fmt: skip
    assert server.asked[2].fields["prompt"] == "a red ball"
    assert asking.counters["seeds_ignored"] == 2


async def test_a_model_that_must_not_be_asked_for_a_format_is_not() -> None:
    unknown = (*OPENAI, "response_format")
    async with ImageServer(Behaviour(unknown=unknown)) as server:
        asking = painter(server, model="gpt-image-1")
        await picture(asking)
        await asking.close()
    assert len(server.asked) == 3
    assert set(server.asked[-1].fields) == {"model", "prompt", "size", "n"}


async def test_a_request_that_is_refused_for_what_it_says_is_not_asked_again() -> None:
    async with ImageServer(Behaviour(status=400)) as server:
        code, said = await code_of(server)
    assert (code, said) == (
        "image_refused",
        'the server answered 400: {"error": {"message": "no, not that"}}',
    )
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (Behaviour(status=401), "backend_unavailable"),
        (Behaviour(status=404), "image_refused"),
        (Behaviour(status=429), "backend_busy"),
        (Behaviour(status=500), "image_failed"),
        (Behaviour(status=503), "backend_unavailable"),
        (Behaviour(status=504), "backend_timeout"),
        (Behaviour(dies=True), "backend_unavailable"),
        (Behaviour(hangs=True), "backend_timeout"),
        (Behaviour(addresses=True), "image_url_only"),
        (Behaviour(raw=b"<html>"), "image_failed"),
        (Behaviour(raw=b'{"data": []}'), "image_failed"),
        (Behaviour(raw=b'{"data": [{"b64_json": "%%%"}]}'), "image_failed"),
        (Behaviour(raw=b'{"data": [{"b64_json": "aGVsbG8="}]}'), "image_failed"),
        (Behaviour(picture=bomb(5_000)), "image_failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_server_does_wrong_has_a_code(how: Behaviour, code: str) -> None:
    if how.picture is not None or (how.raw and b"aGVs" in how.raw):
        pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    async with ImageServer(how) as server:
        assert (await code_of(server))[0] == code


async def test_an_address_is_never_fetched() -> None:
    async with ImageServer(Behaviour(addresses=True)) as server:
        _, said = await code_of(server)
        assert len(server.heads) == 1
    assert said == (
        "the server answers with addresses of pictures, which are not fetched; it must know"
        " response_format b64_json"
    )


async def test_a_picture_of_another_format_is_handed_out_as_png() -> None:
    images = pytest.importorskip("PIL.Image", reason="robot-hub[image] is not installed")
    encoded = BytesIO()
    images.open(BytesIO(plain(side=40))).save(encoded, "JPEG")
    async with ImageServer(Behaviour(picture=encoded.getvalue())) as server:
        asking = painter(server)
        made = await picture(asking)
        await asking.close()
    assert made.png.startswith(b"\x89PNG")
    assert (made.width, made.height) == (40, 40)


async def test_an_edit_sends_the_picture_and_a_mask_that_is_transparent_where_to_draw() -> None:
    images = pytest.importorskip("PIL.Image", reason="robot-hub[image] is not installed")
    order = ORDER._replace(source=plain(side=100), mask=half_white(), strength=0.5)
    async with ImageServer() as server:
        asking = painter(server)
        await picture(asking, order)
        await asking.close()
    (asked,) = server.asked
    assert asked.route == "edits"
    assert asked.fields["strength"] == "0.5"
    assert asked.fields["prompt"] == "a red ball|blue,green"
    sent, mask = (images.open(BytesIO(asked.files[name])) for name in ("image", "mask"))
    assert sent.size == mask.size == (64, 72)
    assert sent.getpixel((5, 5)) == (200, 30, 30)
    assert [mask.getpixel((x, 36))[3] for x in (5, 60)] == [255, 0]


async def test_a_server_without_edits_gets_the_picture_as_localai_takes_it() -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    order = ORDER._replace(source=plain(side=64))
    async with ImageServer(Behaviour(no_edits=True)) as server:
        asking = painter(server)
        await picture(asking, order)
        await picture(asking, order)
        await asking.close()
    assert [one.route for one in server.asked] == ["edits", "generations", "generations"]
    assert base64.b64decode(server.asked[1].fields["file"]).startswith(b"\x89PNG")


async def test_a_server_without_edits_makes_no_part_anew() -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    order = ORDER._replace(source=plain(), mask=half_white())
    async with ImageServer(Behaviour(no_edits=True)) as server:
        assert (await code_of(server, order))[0] == "image_no_masks"


async def test_an_order_that_is_left_closes_its_connection() -> None:
    async with ImageServer(Behaviour(hangs=True)) as server, asyncio.timeout(PATIENCE_S):
        asking = painter(server)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(picture(asking))
            await server.hung.wait()
            waiting.cancel()
        await server.left.wait()
        await asking.close()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_taken_is_told_at_the_start(status: int) -> None:
    async with ImageServer(list_status=status) as server:
        asking = painter(server)
        with pytest.raises(BackendUnavailable, match=f"the server answered {status}"):
            await asking.start()
        await asking.close()


async def test_a_server_without_a_list_chooses_the_model_itself() -> None:
    async with ImageServer(list_status=404) as server:
        asking = painter(server)
        await asking.start()
        await picture(asking)
        await asking.close()
    assert "model" not in server.asked[0].fields


async def test_a_server_that_is_not_there_yet_is_waited_for() -> None:
    told: list[AgentProgress] = []
    naps: list[float] = []
    server = ImageServer()
    async with server:
        pass

    async def up(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            await server.listen(int(server.url.rpartition(":")[2]))

    asking = OpenAiPainter(Server(server.base_url), Latch(), up)
    try:
        with reporting_to(told.append):
            await asking.start()
        assert asking.model == "stablediffusion"
    finally:
        await asking.close()
        await server.__aexit__()
    assert [one.step.partition(": ")[0] for one in told] == [f"waiting for {server.base_url}"] * 2


@pytest.mark.parametrize("address", ["", "localhost:8080", "ftp://h/v1"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(BackendUnavailable, match="IMAGE_BASE_URL or OPENAI_BASE_URL"):
        OpenAiPainter(Server(address), Latch())


@pytest.mark.parametrize(
    ("listed", "model"),
    [
        (["gpt-4", "dall-e-3"], "dall-e-3"),
        (["qwen3", "flux.1-schnell"], "flux.1-schnell"),
        (["stabilityai/sdxl-turbo"], "stabilityai/sdxl-turbo"),
        (["qwen3", "whisper-1"], ""),
        ([], ""),
    ],
)
def test_the_model_is_one_whose_name_says_that_it_makes_pictures(
    listed: list[str], model: str
) -> None:
    assert preferred(listed) == model
