"""What every painter keeps, whatever it draws."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from agents.image_gen.backends.base import PAINTERS, Made, Order, Painter, Step
from agents.image_gen.backends.openai import OpenAiPainter, Server
from agents.image_gen.backends.scripted import ScriptedPainter
from agents.image_gen.png import size_in
from agents.image_gen.slotted import SlottedPainter
from agents.runtime.latch import Latch
from agents.runtime.slot import EngineSlot
from tests.agents.image_gen.pictures import half_white, plain
from tests.engines.marks import ENGINE
from tests.engines.tiny_sdxl import make_sdxl, one_thread
from tests.fakes.engines import running, slot_of
from tests.fakes.image_server import ImageServer

ORDER = Order("a red ball", width=64, height=64, steps=5, seeds=(1,))
PATIENCE_S = 60.0

Opened = Callable[[Latch, Path], AbstractAsyncContextManager[Painter]]


@asynccontextmanager
async def scripted(latch: Latch, _: Path) -> AsyncIterator[Painter]:
    yield ScriptedPainter(latch)


@asynccontextmanager
async def openai(latch: Latch, _: Path) -> AsyncIterator[Painter]:
    async with ImageServer() as server:
        yield OpenAiPainter(Server(server.base_url), latch)


@asynccontextmanager
async def slotted(latch: Latch, _: Path) -> AsyncIterator[Painter]:
    slot: EngineSlot[Painter] = slot_of(lambda model: ScriptedPainter(latch, model=model))
    async with running(slot):
        yield SlottedPainter(slot)


@asynccontextmanager
async def diffusers(latch: Latch, folder: Path) -> AsyncIterator[Painter]:
    from agents.image_gen.backends.diffusers import DiffusersOptions, DiffusersPainter

    yield DiffusersPainter(DiffusersOptions(str(folder), device="cpu"), latch)


LIGHT: dict[str, Opened] = {"scripted": scripted, "openai": openai, "slotted": slotted}


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    for library in ("torch", "transformers", "diffusers"):
        pytest.importorskip(library, reason="robot-hub[llm,image] is not installed")
    with one_thread():
        yield make_sdxl(tmp_path_factory.mktemp("model"))


@pytest.fixture
def latch() -> Latch:
    return Latch()


@pytest.fixture(params=[*LIGHT, pytest.param("diffusers", marks=ENGINE)])
async def painter(request: pytest.FixtureRequest, latch: Latch) -> AsyncIterator[Painter]:
    opened, folder = LIGHT.get(request.param), Path()
    if opened is None:
        opened, folder = diffusers, request.getfixturevalue("sdxl")
    async with asyncio.timeout(PATIENCE_S), opened(latch, folder) as painter:
        await painter.start()
        yield painter
        await painter.close()


async def painted(painter: Painter, order: Order) -> tuple[list[Step], list[Made]]:
    """The steps and the pictures of an order."""
    steps: list[Step] = []
    made: list[Made] = []
    async with aclosing(painter.paint(order)) as news:
        async for one in news:
            if isinstance(one, Step):
                steps.append(one)
            else:
                made.append(one)
    return steps, made


async def picture(painter: Painter, order: Order) -> bytes:
    _, made = await painted(painter, order)
    return made[0].png


def test_every_painter_that_there_is_keeps_this_contract() -> None:
    assert {*LIGHT, "diffusers"} - {"slotted"} == set(PAINTERS)


async def test_a_picture_is_a_png_of_the_size_that_was_asked_for(painter: Painter) -> None:
    _, made = await painted(painter, ORDER._replace(width=72, height=64))
    assert [(one.width, one.height) for one in made] == [(72, 64)]
    assert size_in(made[0].png) == (72, 64)


async def test_the_same_seed_gives_the_same_bytes_and_another_one_others(painter: Painter) -> None:
    first, again = await picture(painter, ORDER), await picture(painter, ORDER)
    assert first == again
    assert first != await picture(painter, ORDER._replace(seeds=(2,)))


async def test_a_picture_among_several_is_the_one_that_its_seed_gives_alone(
    painter: Painter,
) -> None:
    steps, made = await painted(painter, ORDER._replace(seeds=(7, 1)))
    assert len(made) == 2
    assert made[1].png == await picture(painter, ORDER)
    assert {step.image for step in steps} == {0, 1}


async def test_steps_are_counted_one_by_one_to_the_end_of_each_picture(painter: Painter) -> None:
    steps, _ = await painted(painter, ORDER._replace(seeds=(1, 2)))
    total = steps[0].steps
    assert steps == [Step(image, n, total) for image in (0, 1) for n in range(1, total + 1)]


@pytest.mark.parametrize(
    "change",
    [{"prompt": "a blue box"}, {"negative_prompt": "ball"}, {"steps": 7}, {"guidance": 2.0}],
    ids=lambda change: next(iter(change)),
)
async def test_all_that_is_asked_for_makes_a_difference(
    painter: Painter, change: dict[str, str]
) -> None:
    changed = ORDER._replace(**change)  # type: ignore[arg-type]
    assert await picture(painter, ORDER) != await picture(painter, changed)


async def test_a_picture_out_of_another_depends_on_it_and_on_how_much_is_kept(
    painter: Painter,
) -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    red, blue = plain((200, 30, 30)), plain((30, 30, 200))
    out_of = partial(ORDER._replace, strength=0.6)
    pictures = {
        await picture(painter, order)
        for order in (ORDER, out_of(source=red), out_of(source=blue), out_of(source=red, steps=9))
    }
    assert len(pictures) == 4
    stronger = await picture(painter, ORDER._replace(source=red, strength=1.0))
    assert stronger != await picture(painter, out_of(source=red))
    assert await picture(painter, out_of(source=red)) in pictures


async def test_a_mask_makes_a_difference(painter: Painter) -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    whole = ORDER._replace(source=plain())
    masked = whole._replace(mask=half_white())
    assert await picture(painter, whole) != await picture(painter, masked)
    assert await picture(painter, masked) == await picture(painter, masked)


async def test_an_order_that_is_left_can_be_followed_by_another(painter: Painter) -> None:
    untouched = await picture(painter, ORDER)
    for seed in range(2):
        async with aclosing(painter.paint(ORDER._replace(seeds=(seed, 9), steps=50))) as news:
            assert isinstance(await anext(news), Step)
    assert await picture(painter, ORDER) == untouched


async def test_a_latch_that_is_set_holds_an_order_until_it_is_released(
    painter: Painter, latch: Latch
) -> None:
    untouched = await picture(painter, ORDER)
    latch.set(True)
    async with asyncio.TaskGroup() as tasks:
        painting = tasks.create_task(picture(painter, ORDER))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.shield(painting)
        latch.set(False)
        assert await painting == untouched


async def test_what_it_is_can_be_told(painter: Painter) -> None:
    assert painter.capacity == 1
    assert painter.name in PAINTERS
