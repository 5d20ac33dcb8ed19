"""Stable Diffusion XL on the diffusers library."""

import asyncio
import shutil
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from agents.image_gen.backends.base import Made, Order, Step
from agents.image_gen.backends.diffusers import DiffusersOptions, DiffusersPainter
from agents.image_gen.models import HEAVY, variant_of
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.progress import reporting_to
from protocols.messages.agent import AgentProgress
from tests.agents.image_gen.pictures import bomb, half_white, plain
from tests.engines.marks import ONE_LOOP
from tests.engines.tiny_sdxl import make_sdxl, one_thread

pytestmark = ONE_LOOP
diffusers = pytest.importorskip("diffusers", reason="robot-hub[image] is not installed")
torch = pytest.importorskip("torch", reason="robot-hub[llm] is not installed")

ORDER = Order("a red ball", width=64, height=64, steps=4, seeds=(1,))
PATIENCE_S = 120.0


class Engine:
    """A painter that is loaded, and its latch."""

    def __init__(self, weights: Path, **options: Any) -> None:
        self.latch = Latch()
        self.painter = DiffusersPainter(
            DiffusersOptions(str(weights), device="cpu", **options), self.latch
        )

    async def news(self, order: Order = ORDER) -> list[Step | Made]:
        async with asyncio.timeout(PATIENCE_S), aclosing(self.painter.paint(order)) as news:
            return [one async for one in news]

    async def png(self, order: Order = ORDER) -> bytes:
        last = (await self.news(order))[-1]
        assert isinstance(last, Made)
        return last.png

    async def code(self, order: Order = ORDER) -> str:
        with pytest.raises(AgentError) as caught:
            await self.news(order)
        return caught.value.code


class Network:
    """In the place of the network's forward pass: counts what runs through it, and stops it where a
    test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes = 0
        self.stop_at = 0
        self.stopped = threading.Event()
        self.go_on = threading.Event()
        self.failure: Any = None
        forward = diffusers.UNet2DConditionModel.forward
        network = self

        def counting(self: Any, *args: Any, **kwargs: Any) -> Any:
            network.passes += 1
            if network.passes == network.stop_at:
                network.stopped.set()
                assert network.go_on.wait(PATIENCE_S)
            if network.failure is not None:
                network.failure()
            return forward(self, *args, **kwargs)

        monkeypatch.setattr(diffusers.UNet2DConditionModel, "forward", counting)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with one_thread():
        yield make_sdxl(tmp_path_factory.mktemp("model"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(sdxl: Path) -> AsyncIterator[Engine]:
    engine = Engine(sdxl)
    await engine.painter.start()
    yield engine
    await engine.painter.close()


async def test_what_a_load_has_done_is_told_in_bytes(sdxl: Path) -> None:
    told: list[AgentProgress] = []
    fresh = Engine(sdxl)
    with reporting_to(told.append):
        await fresh.painter.start()
    parts = [one for one in told if one.unit == "MiB"]
    assert [one.step for one in parts] == [f"loading {part}" for part in HEAVY]
    assert [one.done for one in parts] == sorted(one.done for one in parts)
    assert 0 < parts[-1].done < parts[-1].total
    assert told[-1].step == "taking a first step"
    await fresh.painter.close()


async def test_the_weights_are_there_once(engine: Engine, sdxl: Path) -> None:
    loaded = engine.painter._loaded
    assert loaded is not None
    for part in HEAVY:
        of_text = getattr(loaded.from_text, part)
        assert getattr(loaded.from_picture, part) is of_text
        assert getattr(loaded.inpainting, part) is of_text
    assert engine.painter.facts() == {"device": "cpu", "dtype": "float32", "cpu_offload": "false"}


async def test_orders_of_all_kinds_after_each_other_change_nothing(engine: Engine) -> None:
    out_of = ORDER._replace(source=plain(), strength=0.5)
    orders = [ORDER, out_of, out_of._replace(mask=half_white())]
    first = [await engine.png(order) for order in orders]
    again = [await engine.png(order) for order in reversed(orders)]
    assert first == again[::-1]
    assert len(set(first)) == 3


async def test_an_order_that_is_left_ends_with_the_step_that_is_being_taken(
    engine: Engine, network: Network
) -> None:
    network.stop_at = 3
    async with aclosing(engine.painter.paint(ORDER._replace(steps=50))) as news:
        assert await anext(news) == Step(0, 1, 50)
        assert await anext(news) == Step(0, 2, 50)
        assert await asyncio.to_thread(network.stopped.wait, PATIENCE_S)
    network.go_on.set()
    await asyncio.to_thread(engine.painter._wait)
    assert network.passes == 3


async def test_after_an_order_that_was_left_the_next_one_is_as_if_it_had_not_been(
    engine: Engine,
) -> None:
    untouched = [await engine.png(), await engine.png(ORDER._replace(source=plain()))]
    for order in (ORDER._replace(steps=50), ORDER._replace(source=plain(), steps=50)):
        async with aclosing(engine.painter.paint(order)) as news:
            await anext(news)
    assert [await engine.png(), await engine.png(ORDER._replace(source=plain()))] == untouched


async def test_a_held_order_takes_no_step_and_goes_on_where_it_was(
    engine: Engine, network: Network
) -> None:
    untouched = await engine.png()
    network.passes, network.stop_at = 0, 2
    async with asyncio.timeout(PATIENCE_S), aclosing(engine.painter.paint(ORDER)) as news:
        await anext(news)
        assert await asyncio.to_thread(network.stopped.wait, PATIENCE_S)
        engine.latch.set(True)
        network.go_on.set()
        assert await anext(news) == Step(0, 2, 4)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.to_thread(engine.painter._wait)
        assert network.passes == 2
        engine.latch.set(False)
        rest = [one async for one in news]
    assert network.passes == 4
    assert isinstance(rest[-1], Made)
    assert rest[-1].png == untouched


async def test_an_order_that_is_left_while_it_is_held_ends_there(
    engine: Engine, network: Network
) -> None:
    engine.latch.set(True)
    async with aclosing(engine.painter.paint(ORDER)) as news, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(anext(news))  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        first.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.to_thread(engine.painter._wait)
    assert engine.latch.held
    assert network.passes == 0
    engine.latch.set(False)


async def test_an_engine_is_closed_once_its_step_is_done(sdxl: Path, network: Network) -> None:
    fresh = Engine(sdxl)
    await fresh.painter.start()
    network.passes, network.stop_at = 0, 2
    async with aclosing(fresh.painter.paint(ORDER)) as news:
        await anext(news)
        assert await asyncio.to_thread(network.stopped.wait, PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        closing = tasks.create_task(fresh.painter.close())
        await asyncio.sleep(0.1)
        assert not closing.done()
        network.go_on.set()
    assert network.passes == 2
    assert await fresh.code() == "backend_unavailable"


async def test_an_engine_that_runs_out_of_memory_says_so_and_serves_on(
    engine: Engine, network: Network
) -> None:
    untouched = await engine.png()
    network.failure = lambda: torch.empty(1 << 60, dtype=torch.uint8)
    assert await engine.code() == "out_of_memory"
    network.failure = None
    assert await engine.png() == untouched


async def test_a_decoder_that_failed_in_another_precision_is_brought_back(
    sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = Engine(sdxl, dtype="float16")
    await halves.painter.start()
    untouched = await halves.png()

    def fail(*_: Any, **__: Any) -> Any:
        return torch.empty(1 << 60, dtype=torch.uint8)

    with monkeypatch.context() as broken:
        broken.setattr(diffusers.AutoencoderKL, "decode", fail)
        assert await halves.code() == "out_of_memory"
    assert await halves.png() == untouched
    await halves.painter.close()


async def test_an_error_holds_no_tensors_of_what_it_ended(engine: Engine, network: Network) -> None:
    held: list[weakref.ref[Any]] = []

    def fail() -> None:
        tensor = torch.zeros(1)
        held.append(weakref.ref(tensor))
        torch.empty(1 << 60, dtype=torch.uint8)

    network.failure = fail
    with pytest.raises(AgentError) as caught:
        await engine.news()
    assert caught.value.__cause__ is not None
    assert [ref() for ref in held] == [None]


async def test_what_breaks_inside_the_library_is_a_coded_error(
    engine: Engine, network: Network
) -> None:
    network.failure = lambda: torch.ones(2) @ torch.ones(3)
    assert await engine.code() == "image_failed"
    network.failure = None
    assert await engine.png()


async def test_a_picture_of_no_numbers_is_an_error(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = diffusers.AutoencoderKL.decode

    def spoilt(self: Any, *args: Any, **kwargs: Any) -> Any:
        return (decode(self, *args, **kwargs)[0] * float("nan"),)

    monkeypatch.setattr(diffusers.AutoencoderKL, "decode", spoilt)
    assert await engine.code() == "image_failed"


async def test_outside_of_a_mask_the_picture_stays_the_source(engine: Engine) -> None:
    from PIL import Image

    order = ORDER._replace(source=plain(), mask=half_white(), strength=1.0)
    with Image.open(BytesIO(await engine.png(order))) as made:
        pixels = np.asarray(made)
    assert (pixels[:, :32] == (200, 30, 30)).all()
    assert not (pixels[:, 32:] == (200, 30, 30)).all()


@pytest.mark.parametrize("source", [b"GIF?", bomb(5_000)], ids=["no picture", "a bomb"])
async def test_a_source_that_cannot_be_decoded_is_refused(engine: Engine, source: bytes) -> None:
    assert await engine.code(ORDER._replace(source=source)) == "bad_picture"


async def test_words_that_are_not_read_are_counted(engine: Engine) -> None:
    before = engine.painter.counters["prompt_truncated"]
    await engine.png(ORDER._replace(prompt="red " * 100))
    assert engine.painter.counters["prompt_truncated"] == before + 1


async def test_attention_in_slices_is_the_same_picture_but_for_rounding(
    engine: Engine, sdxl: Path
) -> None:
    from PIL import Image

    sliced = Engine(sdxl, attention_slicing=True)
    await sliced.painter.start()
    with (
        Image.open(BytesIO(await engine.png())) as whole,
        Image.open(BytesIO(await sliced.png())) as pieces,
    ):
        apart = np.abs(np.asarray(whole).astype(int) - np.asarray(pieces))
    assert apart.max() <= 1
    await sliced.painter.close()


async def test_a_repository_of_half_precision_alone_is_loaded(sdxl: Path, tmp_path: Path) -> None:
    halves = tmp_path / "halves"
    shutil.copytree(sdxl, halves)
    for file in halves.glob("*/*.safetensors"):
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    assert variant_of(halves) == "fp16"
    engine = Engine(halves)
    await engine.painter.start()
    assert await engine.png()
    await engine.painter.close()


async def test_what_is_not_on_disk_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        await Engine(tmp_path / "nothing").painter.start()
    assert caught.value.code == "image_model_missing"


async def test_weights_that_are_broken_are_said_to_be(sdxl: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(sdxl, broken)
    for file in (broken / "unet").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BackendUnavailable) as caught:
        await Engine(broken).painter.start()
    assert caught.value.code == "image_load_failed"


async def test_a_gpu_that_is_not_there_is_not_waited_for(sdxl: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    painter = DiffusersPainter(DiffusersOptions(str(sdxl), device="cuda"), Latch())
    with pytest.raises(BackendUnavailable) as caught:
        await painter.start()
    assert caught.value.code == "llm_no_gpu"
