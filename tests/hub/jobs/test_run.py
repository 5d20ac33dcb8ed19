"""Jobs of any kind through the desk: told, joined to their bytes, requeued, cancelled, over."""

import asyncio
import hashlib
import random
import weakref
from contextlib import aclosing

import pytest

from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.blobs import PART_TRIES, PART_WAIT_S, BlobsLost
from hub.jobs.job import Bounds, JobClass
from hub.jobs.models import ModelMissing
from hub.jobs.orders import Caller, JobOrder
from protocols.envelope import AnyEnvelope
from protocols.messages.agent import AgentKind
from protocols.messages.blob import BlobPart
from protocols.messages.chat import ChatDelta, ChatDone
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from tests.fakes.job_services import Chatty, Painter, picture
from tests.hub.jobs.shop import Shop, chat, shop, text_of, to_end
from tests.virtual_time import names, settle, virtual

VISION, PLANNER, IMAGE = AgentKind.VISION, AgentKind.PLANNER, AgentKind.IMAGE_GEN


def paint(steps: int = 2, **more: int) -> JobOrder:
    caller = Caller(job_class=JobClass.IMAGE, deadline_s=300)
    return JobOrder(IMAGE, ImageRequest(prompt="a robot", steps=steps, **more), caller)


def state_of(there: Shop) -> str:
    return there.desk.records()[0].state


@virtual
async def test_a_chat_is_told_as_it_is_made() -> None:
    async with shop() as there:
        await there.hire("vision-1", VISION, Chatty("it is a cat"))
        facts = await to_end(there, chat())
        assert text_of(facts) == "it is a cat "
        assert names(f.body for f in facts) == ["ChatDelta"] * 4 + ["ChatDone"]
        assert state_of(there) == "done"


@virtual
async def test_an_agent_gets_every_byte_of_the_pictures_that_came_with_a_job() -> None:
    pictures = [picture(700_001, 1), picture(1, 2), picture(131_072, 3)]
    async with shop() as there:
        await there.hire("vision-1", VISION, Chatty(""))
        facts = await to_end(there, chat("what is this?", *pictures))
        said = [f"{len(p)} {hashlib.sha256(p).hexdigest()} " for p in pictures]
        assert text_of(facts) == "".join(said)


@virtual
async def test_pictures_of_many_jobs_at_once_do_not_break_the_link() -> None:
    async with shop() as there:
        agent = Chatty("")
        await there.hire("vision-1", VISION, agent, capacity=30)
        orders = [chat("?", picture(500_000, n), client=str(n)) for n in range(30)]
        await asyncio.gather(*(to_end(there, order) for order in orders))
        assert len(agent.begun) == 30


@virtual
async def test_what_a_job_makes_comes_with_the_fact_that_names_it() -> None:
    async with shop() as there:
        await there.hire("image-1", IMAGE, Painter())
        *progress, done = await to_end(there, paint(3, count=2, seed=7))
        assert [p.body for p in progress] == [
            ImageProgress(image=0, step=n, steps=3) for n in (1, 2, 3)
        ]
        assert [record.progress for record in there.desk.records()] == [1.0]
        assert isinstance(done.body, ImageDone)
        assert done.blobs == (picture(600_000, 7), picture(600_000, 8))


class Thief:
    """Loses the first so many parts that are on their way."""

    def __init__(self, parts: int) -> None:
        self.left = parts

    def __call__(self, envelope: AnyEnvelope) -> float | None:
        if isinstance(envelope.body, BlobPart) and self.left:
            self.left -= 1
            return None
        return 0.0


@virtual
async def test_a_part_that_is_lost_is_asked_for_again() -> None:
    async with shop(delay=Thief(3)) as there:
        await there.hire("image-1", IMAGE, Painter())
        facts = await to_end(there, paint())
        assert facts[-1].blobs == (picture(600_000, 0),)


@virtual
async def test_a_result_that_does_not_come_fails_the_job_and_ends_it_at_the_agent() -> None:
    async with shop(delay=Thief(1_000)) as there:
        await there.hire("image-1", IMAGE, Painter())
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(BlobsLost):
            await to_end(there, paint(1))
        assert loop.time() - began == pytest.approx(1 + PART_TRIES * PART_WAIT_S)
        assert state_of(there) == "failed"


@virtual
async def test_an_agent_that_announces_more_than_it_has_is_not_believed() -> None:
    async with shop() as there:
        painter = Painter()
        painter.lies = 1
        await there.hire("image-1", IMAGE, painter)
        with pytest.raises(BlobsLost):
            await to_end(there, paint())


@virtual
async def test_an_agent_that_announces_too_much_is_refused() -> None:
    async with shop() as there:
        painter = Painter(100)
        painter.lies = 1 << 30
        await there.hire("image-1", IMAGE, painter)
        with pytest.raises(JobError) as refused:
            await to_end(there, paint())
        assert refused.value.code == "too_large"


@virtual
async def test_closing_the_generator_cancels_the_job_at_the_agent() -> None:
    async with shop() as there:
        agent = Chatty("one two three")
        await there.hire("vision-1", VISION, agent)
        async with aclosing(there.desk.run(chat())) as facts:
            assert isinstance((await anext(facts)).body, ChatDelta)
        await settle()
        assert (agent.cancelled, state_of(there)) == (1, "cancelled")


@virtual
async def test_a_job_that_waits_is_cancelled_without_a_word_to_anybody() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        agent = Chatty()
        await there.hire("vision-1", VISION, agent)
        first = tasks.create_task(to_end(there, chat("first")))
        await settle()
        second = tasks.create_task(to_end(there, chat("second")))
        await settle()
        second.cancel()
        await first
        assert agent.begun == ["first"]
        assert there.counters.read() == {}


@virtual
async def test_a_job_beyond_the_bound_is_refused_at_once_and_told_when_to_come_again() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        await there.hire("vision-1", VISION, Chatty())
        running = [tasks.create_task(to_end(there, chat(client="a"))) for _ in range(33)]
        await settle()
        with pytest.raises(Busy) as busy:
            await to_end(there, chat(client="a"))
        assert busy.value.retry_after_s > 1
        assert there.counters.read() == {"jobs_refused.vision_busy": 1}
        await asyncio.gather(*running)


@virtual
@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("waiting", [0, 33])
async def test_what_a_job_has_failed_by_is_not_left_to_the_collector(waiting: int) -> None:
    """It would keep the request and all of its frames: refusals come in floods."""
    async with shop() as there, asyncio.TaskGroup() as tasks:
        agent = Chatty()
        await there.hire("vision-1", VISION, agent)
        running = [tasks.create_task(to_end(there, chat(client="a"))) for _ in range(waiting)]
        await settle()
        agent.fails = not waiting
        kept = None
        try:
            await to_end(there, chat(client="a"))
        except JobError as error:
            kept = weakref.ref(error)
        assert kept is not None
        assert kept() is None
        await asyncio.gather(*running)


@virtual
async def test_the_deadline_ends_a_job_that_waits_and_one_that_runs() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        agent = Chatty()
        agent.stalls = True
        await there.hire("vision-1", VISION, agent)
        running = tasks.create_task(_failure_of(there, chat(deadline_s=5)))
        waiting = tasks.create_task(_failure_of(there, chat(deadline_s=3)))
        assert isinstance(await waiting, JobTimeout)
        assert asyncio.get_running_loop().time() == pytest.approx(1_003)
        assert isinstance(await running, JobTimeout)
        await settle()
        assert agent.cancelled == 1
        assert [r.state for r in there.desk.records()] == ["expired", "expired"]


async def _failure_of(there: Shop, order: JobOrder) -> JobError:
    with pytest.raises(JobError) as raised:
        await to_end(there, order)
    return raised.value


@virtual
async def test_a_job_that_fails_has_its_agents_code_after_what_it_told() -> None:
    async with shop() as there:
        await there.hire("vision-1", VISION, Chatty(fails=True))
        facts = there.desk.run(chat())
        assert (await anext(facts)).body == ChatDelta(text="well ")
        with pytest.raises(JobError, match="the engine broke") as failed:
            await anext(facts)
        assert failed.value.code == "backend_broken"
        assert there.desk.records()[0].code == "backend_broken"


@virtual
async def test_without_an_agent_or_its_model_a_job_is_refused_at_once() -> None:
    async with shop() as there:
        with pytest.raises(AgentMissing):
            await to_end(there, chat())
        await there.hire("vision-1", VISION, Chatty())
        order = JobOrder(VISION, chat().request, model="unheard-of")
        with pytest.raises(ModelMissing):
            await to_end(there, order)


@virtual
async def test_a_job_whose_agent_dies_begins_anew_elsewhere_if_nothing_was_told() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        stalled, good = Chatty(), Chatty("it is a cat")
        stalled.stalls = True
        await there.hire("vision-1", VISION, stalled)
        told = tasks.create_task(to_end(there, chat("what?", picture(300_000, 1))))
        await settle()
        await there.lose("vision-1")
        await there.hire("vision-2", VISION, good)
        assert text_of(await told).endswith("it is a cat ")
        assert there.desk.records()[0].requeues == 1


@virtual
async def test_a_job_whose_agent_dies_after_it_told_something_fails() -> None:
    async with shop() as there:
        await there.hire("vision-1", VISION, Chatty("one two three"))
        facts = there.desk.run(chat())
        await anext(facts)
        await there.lose("vision-1")
        await there.hire("vision-2", VISION, Chatty())
        with pytest.raises(AgentMissing):
            await anext(facts)


@virtual
async def test_a_live_turn_takes_the_place_of_a_long_chat_which_is_done_after_it() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        agent = Chatty("a long answer", word_s=20)
        await there.hire("planner-1", PLANNER, agent)
        order = chat(agent=PLANNER, job_class=JobClass.BATCH, deadline_s=300)
        told = tasks.create_task(to_end(there, order))
        await asyncio.sleep(5)
        there.desk.answering("r1", ("stt-1", "planner-1"))
        await settle()
        assert (agent.cancelled, state_of(there)) == (1, "queued")
        await asyncio.sleep(5)
        there.desk.answering("r1", ())
        assert text_of(await told) == "a long answer "
        assert there.desk.numbers.requeued == 1


@virtual
async def test_a_job_can_be_cancelled_by_its_id() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        agent = Chatty()
        agent.stalls = True
        await there.hire("vision-1", VISION, agent)
        failure = tasks.create_task(_failure_of(there, chat()))
        await settle()
        (record,) = there.desk.records()
        assert there.desk.cancel(record.id)
        assert not there.desk.cancel(record.id)
        assert (await failure).code == "job_cancelled"
        await settle()
        assert agent.cancelled == 1
        assert not there.desk.cancel("1-99")


@virtual
async def test_a_reader_that_is_slow_gets_every_word_and_keeps_no_slot() -> None:
    async with shop() as there:
        await there.hire("vision-1", VISION, Chatty("word " * 500, word_s=0.01))
        facts = there.desk.run(chat(deadline_s=600))
        first = await anext(facts)
        await asyncio.sleep(60)
        assert state_of(there) == "done"
        await to_end(there, chat("another", deadline_s=600))
        rest = [fact async for fact in facts]
        assert text_of([first, *rest]).split() == ["word"] * 500
        assert len(rest) < 100, "what waits is bounded"


@virtual
async def test_of_a_thousand_jobs_with_clients_that_come_and_go_nothing_is_left() -> None:
    chance = random.Random(7)
    bounds = Bounds(
        queued={JobClass.INTERACTIVE: 40, JobClass.IMAGE: 20, JobClass.BATCH: 40}, hunger_s=5
    )
    async with shop(bounds) as there:
        talker, painter = Chatty("some words follow"), Painter(300_000, 0.05)
        await there.hire("vision-1", VISION, talker, capacity=3)
        await there.hire("vision-2", VISION, Chatty("others"), capacity=2)
        await there.hire("image-1", IMAGE, painter)
        async with asyncio.TaskGroup() as tasks:
            for number in range(1_000):
                tasks.create_task(_client(there, number, chance))
                await asyncio.sleep(chance.random() * 0.05)
                if number % 250 == 100:
                    await there.lose("vision-2")
                if number % 250 == 150:
                    await there.hire("vision-2", VISION, Chatty("others"), capacity=2)
        ended = there.desk.numbers.ended
        assert sum(ended.values()) == 1_000
        assert {end.value for _, end in ended} >= {"done", "cancelled", "expired", "shed"}


async def _client(there: Shop, number: int, chance: random.Random) -> None:
    client, patience_s = f"c{chance.randrange(5)}", chance.choice([0.2, 1.0, 100.0])
    order = (
        paint(3)
        if chance.random() < 0.2
        else chat(
            str(number),
            *[picture(200_000, number)] * chance.randrange(2),
            client=client,
            deadline_s=chance.choice([0.5, 5, 50]),
            job_class=chance.choice([JobClass.INTERACTIVE, JobClass.BATCH]),
        )
    )
    try:
        async with asyncio.timeout(patience_s), aclosing(there.desk.run(order)) as facts:
            async for fact in facts:
                assert isinstance(fact.body, ChatDelta | ChatDone | ImageProgress | ImageDone)
    except (JobError, TimeoutError):
        return
