"""The numbers for Prometheus are written family by family, as its own client writes them in one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hub.edge.metrics import exposition


async def test_what_is_written_in_turns_of_the_loop_is_what_is_written_at_once() -> None:
    registry = CollectorRegistry()
    Counter("turns", "Turns.", ["outcome"], registry=registry).labels("done").inc()
    Gauge("robots", "Robots.", registry=registry).set(3)
    Histogram("lag", "Lag.", registry=registry).observe(0.2)
    assert await exposition(registry) == generate_latest(registry)
    assert await exposition(CollectorRegistry()) == b""
