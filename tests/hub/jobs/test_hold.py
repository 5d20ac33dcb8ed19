"""Long work holds while robots are being answered: as a rule, and down to the agent."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from hub.jobs.hold import ANSWER_NS, LINGER_NS, REST_NS, STRETCH_NS, Hold
from hub.jobs.holding import HoldKeeper
from protocols.messages.agent import AgentKind
from tests.fakes.job_services import Painter
from tests.hub.jobs.shop import shop, to_end
from tests.hub.jobs.test_run import paint
from tests.virtual_time import settle, virtual

MS = 1_000_000


def test_work_holds_at_once_and_goes_on_a_moment_after_the_answer() -> None:
    hold = Hold()
    assert not hold.read(0)
    hold.answering("r1", 0)
    assert hold.read(0)
    hold.answered("r1")
    assert hold.read(100 * MS)
    assert hold.due_ns == 100 * MS + LINGER_NS
    assert not hold.read(100 * MS + LINGER_NS)
    assert hold.due_ns is None


def test_a_short_pause_between_two_answers_is_no_release() -> None:
    hold = Hold()
    hold.answering("r1", 0)
    assert hold.read(0)
    hold.answered("r1")
    assert hold.read(MS)
    hold.answering("r2", LINGER_NS // 2)
    assert hold.read(LINGER_NS // 2)
    assert hold.read(2 * LINGER_NS)


def test_an_answer_whose_end_is_never_told_holds_no_work_for_ever() -> None:
    hold = Hold()
    hold.answering("r1", 0)
    assert hold.read(0)
    assert not hold.read(STRETCH_NS)
    assert hold.read(STRETCH_NS + REST_NS), "it is still being answered, for all that is known"
    hold.read(ANSWER_NS)
    assert not hold.read(ANSWER_NS + LINGER_NS)
    assert hold.due_ns is None


steps = st.lists(
    st.tuples(st.integers(0, 40_000), st.sampled_from(["r1", "r2"]), st.booleans()),
    max_size=30,
)


@given(steps)
def test_whoever_reads_when_due_sees_no_stretch_without_a_rest_and_no_flapping(
    happened: list[tuple[int, str, bool]],
) -> None:
    hold, now, held, changed = Hold(), 0, False, 0
    for after_ms, robot, busy in [*happened, (300_000, "r3", False)]:
        until = now + after_ms * MS
        while (due := hold.due_ns) is not None and due <= until:
            assert due >= now
            now = due
            held, changed = _read(hold, now, held, changed)
        now = until
        if busy:
            hold.answering(robot, now)
        else:
            hold.answered(robot)
        held, changed = _read(hold, now, held, changed)
    assert not held


def _read(hold: Hold, now: int, held: bool, changed: int) -> tuple[bool, int]:
    read = hold.read(now)
    if read == held:
        assert not held or now - changed < STRETCH_NS
        return held, changed
    if held:
        assert LINGER_NS <= now - changed <= STRETCH_NS
    return read, now


@virtual
async def test_a_picture_is_made_between_answers_and_not_during_them() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        keeper = HoldKeeper(there.hub)
        painter = Painter()
        await there.hire("image-1", AgentKind.IMAGE_GEN, painter, latch=painter.latch)
        loop = asyncio.get_running_loop()
        began = loop.time()
        keeper.answering("r1", True)
        made = tasks.create_task(to_end(there, paint(2)))
        await asyncio.sleep(5)
        assert painter.latch.held
        keeper.answering("r1", False)
        await made
        assert 7.2 < loop.time() - began < 7.4
        keeper.close()


@virtual
async def test_an_agent_that_joins_in_the_middle_of_an_answer_holds_too() -> None:
    async with shop() as there:
        keeper = HoldKeeper(there.hub)
        keeper.answering("r1", True)
        painter, other = Painter(), Painter()
        await there.hire("image-1", AgentKind.IMAGE_GEN, painter, latch=painter.latch)
        await there.hire("image-2", AgentKind.IMAGE_GEN, other)
        await settle()
        assert painter.latch.held
        assert not other.latch.held, "it did not ask to be told"
        await there.lose("image-1")
        assert not painter.latch.held, "a lost link opens the latch"
        keeper.answering("r1", False)
        keeper.close()
