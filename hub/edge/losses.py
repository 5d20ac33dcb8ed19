"""What the hub and its agents missed or threw away, by class of quality of service. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from hub.edge.services import HubReport
from protocols.qos import QosClass
from protocols.topics import CATALOG


class Losses(NamedTuple):
    """Of one class: messages that never came (a gap in their numbers), and those that were dropped
    at a bound."""

    gaps: int = 0
    dropped: int = 0


_NAMES = {"bus_lost": "gaps", "bus_dropped": "dropped", "lost": "gaps", "bus": "dropped"}
"""Counters of the hub's bus and of those of agents; what comes after the dot is a topic."""


def losses_of(report: HubReport) -> dict[str, Losses]:
    """Of every class, those without any as well."""
    found = dict.fromkeys(QosClass, Losses())
    for what, topic, count in _counted(report):
        kind, name = _class_of(topic), _NAMES.get(what)
        if kind is not None and name is not None:
            found[kind] = found[kind]._replace(**{name: getattr(found[kind], name) + count})
    return {kind.value: losses for kind, losses in found.items()}


def _counted(report: HubReport) -> Iterator[tuple[str, str, int]]:
    for counts in (report.counters, *(agent.drops for agent in report.agents)):
        for name, count in counts.items():
            what, _, topic = name.partition(".")
            yield what, topic, count


def _class_of(topic: str) -> QosClass | None:
    if topic in CATALOG:
        return CATALOG[topic].qos
    return QosClass(topic) if topic in set(QosClass) else None
