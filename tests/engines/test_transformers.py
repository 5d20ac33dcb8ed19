"""Language models, and one that sees, on the transformers library."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio

from agents.engines.language.base import ChatMessage, Ending, Picture, Prompt
from agents.engines.language.transformers import TransformersModel, TransformersOptions
from agents.planner.answer import read_plan
from agents.planner.prompt import answer_prompt, plan_prompt
from agents.runtime.errors import AgentError, BackendTimeout, BackendUnavailable
from protocols.messages.chat import Guide
from tests.agents.planner.turns import turn, world
from tests.engines.engines import transformers
from tests.engines.guides import BROKEN, LISTS, PHONE, is_list, is_phone
from tests.engines.marks import ONE_LOOP

pytestmark = ONE_LOOP
pytest.importorskip("transformers", reason="robot-hub[llm] is not installed")
jsonschema = pytest.importorskip("jsonschema", reason="it comes with vLLM")

ENDLESS = Prompt([ChatMessage("user", "count")], max_tokens=8_000)
WILD = 1.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(qwen3: Path) -> AsyncIterator[TransformersModel]:
    model = transformers(qwen3)
    await model.start()
    yield model
    await model.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seeing(llava: Path) -> AsyncIterator[TransformersModel]:
    model = transformers(llava)
    await model.start()
    yield model
    await model.close()


async def text_of(model: TransformersModel, prompt: Prompt) -> str:
    async with aclosing(model.write(prompt)) as pieces:
        return "".join([piece async for piece in pieces])


def picture(colour: str, side: int = 100, kind: str = "PNG") -> Picture:
    from PIL import Image

    encoded = BytesIO()
    Image.new("RGB", (side, side), colour).save(encoded, kind)
    return Picture(f"image/{kind.lower()}", encoded.getvalue())


@pytest.mark.parametrize("trial", range(3))
async def test_whatever_it_answers_obeys_the_schema(model: TransformersModel, trial: int) -> None:
    prompt = answer_prompt(turn(f"hello {trial}"))._replace(temperature=WILD, max_tokens=4_000)
    assert prompt.schema is not None
    jsonschema.validate(json.loads(await text_of(model, prompt)), prompt.schema.schema)


async def test_whatever_it_plans_is_a_plan(model: TransformersModel) -> None:
    prompt = plan_prompt(world(trigger="ball_seen"), 5)
    assert read_plan(await text_of(model, prompt), 5).ttl_ms >= 500


async def test_a_text_that_nobody_reads_on_stops_between_tokens_and_the_next_one_begins(
    model: TransformersModel,
) -> None:
    async with asyncio.timeout(30):
        async with aclosing(model.write(ENDLESS)) as pieces:
            await anext(pieces)
        assert await text_of(model, ENDLESS._replace(max_tokens=3))


async def test_texts_are_written_one_after_the_other(model: TransformersModel) -> None:
    short = ENDLESS._replace(max_tokens=20)
    async with asyncio.TaskGroup() as tasks:
        texts = [tasks.create_task(text_of(model, short)) for _ in range(3)]
    assert len({text.result() for text in texts}) == 1


async def test_a_text_that_takes_too_long_is_ended(qwen3: Path) -> None:
    hasty = TransformersModel(TransformersOptions(str(qwen3), temperature=0.0, timeout_s=0.2))
    await hasty.start()
    with pytest.raises(BackendTimeout):
        await text_of(hasty, ENDLESS)
    async with asyncio.timeout(30):
        await hasty.close()


async def test_a_model_without_eyes_says_so(model: TransformersModel) -> None:
    with pytest.raises(AgentError) as caught:
        await text_of(model, Prompt([ChatMessage("user", "look", (picture("red"),))]))
    assert caught.value.code == "llm_no_pictures"


async def test_what_a_model_sees_changes_what_it_says(seeing: TransformersModel) -> None:
    said = [
        await text_of(seeing, Prompt([ChatMessage("user", "what is it", shown)], max_tokens=24))
        for shown in [(), (picture("red"),), (picture("white", kind="JPEG"),)]
    ]
    assert len(set(said)) == 3
    assert seeing.facts()["sees"] == "true"


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n" + bytes(50)],
    ids=["nothing", "another format", "no picture", "half a picture"],
)  # fmt: skip
async def test_what_is_no_picture_is_refused(seeing: TransformersModel, data: bytes) -> None:
    shown = (Picture("image/png", data),)
    with pytest.raises(AgentError) as caught:
        await text_of(seeing, Prompt([ChatMessage("user", "look", shown)]))
    assert caught.value.code == "bad_picture"


async def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(
    seeing: TransformersModel,
) -> None:
    shown = (picture("red", side=4_100),)
    with pytest.raises(AgentError, match="16810000 pixels"):
        await text_of(seeing, Prompt([ChatMessage("user", "look", shown)]))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"device": "cuda"}, "llm_no_gpu"),
        ({"load_in_8bit": True, "device": "cpu"}, "llm_no_gpu"),
        ({"model": "nobody/nothing"}, "llm_model_missing"),
    ],
)
async def test_what_cannot_be_loaded_says_why(
    qwen3: Path, options: dict[str, object], code: str
) -> None:
    import torch

    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    wanted = {"model": str(qwen3), **options}
    with pytest.raises(BackendUnavailable) as caught:
        await TransformersModel(TransformersOptions(**wanted)).start()  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.fixture
def cut_short(qwen3: Path, tmp_path: Path) -> Path:
    """Weights of which the beginning was copied."""
    for file in qwen3.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1 << 16])
    return tmp_path


async def test_half_a_file_of_weights_is_a_load_that_failed(cut_short: Path) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        await transformers(cut_short).start()
    assert caught.value.code == "llm_load_failed"


async def test_closing_frees_the_weights(qwen3: Path) -> None:
    import gc
    import weakref

    model = transformers(qwen3)
    await model.start()
    assert model._loaded is not None
    weights = weakref.ref(model._loaded.model)
    await text_of(model, ENDLESS._replace(max_tokens=3))
    await model.close()
    gc.collect()
    assert weights() is None


@pytest.mark.parametrize("trial", range(3))
async def test_whatever_it_answers_matches_a_regular_expression(
    model: TransformersModel, trial: int
) -> None:
    asked = Prompt([ChatMessage("user", f"{trial}")], temperature=WILD, max_tokens=40, guide=PHONE)
    assert is_phone(await text_of(model, asked))


@pytest.mark.parametrize("trial", range(3))
async def test_whatever_it_answers_is_of_a_grammar(model: TransformersModel, trial: int) -> None:
    endings: list[Ending] = []
    asked = Prompt(
        [ChatMessage("user", f"{trial}")],
        temperature=WILD,
        max_tokens=400,
        guide=LISTS,
        ended=endings.append,
    )
    text = await text_of(model, asked)
    assert is_list(text) or (endings[0].finish_reason == "length" and text.startswith("(b"))


@pytest.mark.parametrize("guide", BROKEN, ids=lambda guide: guide.kind)
async def test_a_guide_that_cannot_be_read_is_said_to_be_so(
    model: TransformersModel, guide: Guide
) -> None:
    with pytest.raises(AgentError) as caught:
        await text_of(model, Prompt([ChatMessage("user", "x")], guide=guide))
    assert caught.value.code == "bad_guide"
    assert await text_of(model, ENDLESS._replace(max_tokens=3))
