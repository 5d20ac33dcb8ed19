"""A fleet of light robots on the real hub, over real sockets."""

from robot_sim.load.fleet import FleetOptions, running_fleet
from robot_sim.load.run import LoadOptions, Progress, run_load
from robot_sim.load.user import Habits
from tests.integration.stack import Stack

LIVELY = Habits(
    talk=0.5, utterance_s=(0.1, 0.3), answer_words=(3, 5), barges=0.3, cancels=0.2, patience_s=5.0
)
TIMEOUT_S = 10.0


async def test_a_fleet_converses_for_a_while_and_every_robot_still_does_at_the_end(
    hub: Stack,
) -> None:
    fleet = FleetOptions(url=hub.url, robots=3, habits=LIVELY)
    heard: list[Progress] = []

    result = await run_load(LoadOptions(fleet=fleet, seconds=1.0), heard.append)

    assert result.faults == []
    assert result.tally.counts["answered"] >= 3
    assert heard
    spreads = result.spreads()
    assert spreads["end_of_speech_to_first_audio"].samples == result.tally.counts["answered"]
    assert spreads["segment.endpointing"].samples > 0
    document = result.document()
    assert document["robots"] == 3
    assert document["outcomes"]["done"] >= 3


async def test_a_robot_whose_socket_was_cut_resumes_its_session_and_converses(hub: Stack) -> None:
    options = FleetOptions(url=hub.url, robots=2, habits=LIVELY)

    async with running_fleet(options) as fleet:
        assert await fleet.until_linked(TIMEOUT_S)
        fleet.cut("load-0")
        silent = await fleet.last_words(TIMEOUT_S)

    assert silent == []
    assert fleet.tally.closes == {1006: 1}
    assert fleet.tally.counts["resumed"] == 1
    assert fleet.tally.breaches == []
