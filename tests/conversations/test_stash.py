"""Conversations of robots that went away: kept, found again, forgotten, and counted."""

from hub.store.memory import MemoryStore
from protocols.messages.robot import Text, TurnEnd
from tests.conversations.stage import Robot, stage
from tests.virtual_time import until, virtual

AWAY_S = 1_801.0


class Wall:
    """A wall clock that a test moves."""

    now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


def gone(robot: Robot) -> None:
    assert robot.session is not None
    robot.session.detach(1000, "bye")


@virtual
async def test_conversations_that_are_kept_are_counted_as_they_are() -> None:
    wall = Wall()
    async with stage(store=MemoryStore(clock=wall)) as theatre:
        stash = theatre.sessions.stash
        robot = await theatre.connect(Robot("r1"))
        robot.tell(Text(text="hello robot"))
        await robot.next(TurnEnd)
        assert (stash.stashed, stash.hits, stash.expired) == (0, 0, 0)
        gone(robot)
        await until(lambda: stash.stashed == 1)
        await theatre.sessions.expire_history()
        assert stash.stashed == 1
        again = await theatre.reconnect(robot)
        assert (stash.stashed, stash.hits) == (0, 1)
        gone(again)
        await until(lambda: stash.stashed == 1)
        wall.now_s += AWAY_S
        await theatre.sessions.expire_history()
        assert (stash.stashed, stash.hits, stash.expired) == (0, 1, 1)
