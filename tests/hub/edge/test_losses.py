"""Gaps and drops by class, whoever counted them."""

from hub.edge.losses import Losses, losses_of
from hub.edge.services import HubReport
from protocols.messages.agent import AgentKind
from protocols.qos import QosClass
from tests.hub.edge.test_http import Agent


def test_losses_of_hub_and_agents_are_added_up_by_class() -> None:
    ears = Agent(AgentKind.EARS, drops={"lost.mic.chunk": 3, "bus.control": 1, "ears.whatever": 9})
    report = HubReport(
        agents=(ears,),
        counters={"bus_lost.speech.chunk": 2, "bus_dropped.mic.chunk": 4, "bus_refused.x": 5},
    )
    losses = losses_of(report)
    assert losses["mic"] == Losses(gaps=3, dropped=4)
    assert losses["speech"] == Losses(gaps=2)
    assert losses["control"] == Losses(dropped=1)
    assert set(losses) == {kind.value for kind in QosClass}
    assert losses["frame"] == Losses()
