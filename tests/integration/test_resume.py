"""A robot whose connection breaks, over real sockets."""

from protocols.messages.robot import TurnBegin, TurnEnd, Welcome
from protocols.messages.turn import Exchange, Outcome
from robot_sim.speaker import Cue
from tests.integration.stack import WORD_MS, Stack, told

COUNTING = "one two three four five six seven eight"
TOTAL_SAMPLES = 8 * WORD_MS * 16


async def test_after_a_cut_the_speech_goes_on_at_the_first_sample_that_was_not_played(
    hub: Stack,
) -> None:
    async with hub.robot() as robot:
        robot.write(COUNTING)
        await robot.next(Cue, lambda cue: cue.played.samples >= 16 * 300)
        await robot.link.cut()
        end = await robot.next(TurnEnd)

    assert (end.turn, end.outcome, end.heard_text) == (1, Outcome.DONE, f"{COUNTING}.")
    assert robot.speaker.samples_played(1) == TOTAL_SAMPLES
    assert not robot.speaker.counters
    assert [(w.epoch, w.resumed) for w in told(robot, Welcome)] == [(1, False), (2, True)]
    assert len(told(robot, TurnBegin)) == 1
    counters = robot.link.counters
    assert (counters["control_gap"], counters["control_repeated"]) == (0, 0)
    assert await hub.history() == (
        Exchange(turn=1, user=COUNTING, robot=f"{COUNTING}.", emotion="happy"),
    )
