"""How jobs went lately, as LocalAI's manager told it; no prompt or answer is in it."""

from typing import Any

from hub.edge.mcp.tool import Answer, Arguments, Call, Tool
from hub.edge.rights import Right
from hub.edge.services import EdgeServices
from hub.jobs.job import JobEnd
from hub.jobs.records import JobRecord

KEPT_ERRORS = 100
KEPT_METRICS = 1_000

_BAD = frozenset({JobEnd.FAILED, JobEnd.EXPIRED, JobEnd.SHED})
_UNDER_WAY = frozenset({"queued", "running"})


class Nothing(Arguments):
    """No arguments."""


class MetricTools:
    """The tools over the records of jobs."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services

    def all(self) -> tuple[Tool, ...]:
        """The tools."""
        errors = f"The last {KEPT_ERRORS} jobs that failed, and why."
        metrics = f"How long the last {KEPT_METRICS} jobs waited and ran."
        watch = Right.WATCH
        return (
            Tool("get_error_metrics", errors, Nothing, watch, self._errors, acts=False),
            Tool("get_request_metrics", metrics, Nothing, watch, self._requests, acts=False),
        )

    async def _errors(self, _: Nothing, call: Call) -> Answer:
        records = [r for r in self._services.jobs.records() if r.state in _BAD][:KEPT_ERRORS]
        errors = [self._told(record) | {"error": record.code} for record in records]
        return Answer.of({"errors": errors, "count": len(errors)})

    async def _requests(self, _: Nothing, call: Call) -> Answer:
        ended = [r for r in self._services.jobs.records() if r.state not in _UNDER_WAY]
        metrics = [self._told(record) for record in ended[:KEPT_METRICS]]
        times = [told["ran_s"] for told in metrics if told["state"] == JobEnd.DONE]
        data = {
            "metrics": metrics,
            "count": len(metrics),
            "mean_ran_s": round(sum(times) / len(times), 3) if times else None,
        }
        return Answer.of(data)

    def _told(self, record: JobRecord) -> dict[str, Any]:
        now = self._services.jobs.now()
        ended = record.ended_ns or now
        began = record.began_ns or ended
        return {
            "id": record.id,
            "request": record.request,
            "model": record.job.model,
            "state": str(record.state),
            "age_s": _seconds(now - record.submitted_ns),
            "waited_s": _seconds(began - record.submitted_ns),
            "ran_s": _seconds(ended - began),
        }


def _seconds(ns: int) -> float:
    return round(max(0, ns) / 1e9, 3)
