"""``robot-hub load``: put a fleet on a hub in bench mode, show what happens, judge it.

It knows the hub by its wire alone: ``GET /readyz``, ``/health`` and ``/metrics``, ``WS /robot``.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Callable

import httpx
from rich.console import Console

from robot_sim.errors import BadLoad
from robot_sim.load.fleet import FleetOptions
from robot_sim.load.order import LoadOrder
from robot_sim.load.result import LoadResult
from robot_sim.load.run import LoadOptions, run_load
from robot_sim.load.screen import WIDTH_OF_LOGS, ProgressLine, show
from robot_sim.load.usage import running_under
from robot_sim.load.user import Habits
from robot_sim.readiness import wait_until_ready

OK, FAILED = 0, 1
_TIMEOUT_S = 5.0
_READY_TIMEOUT_S = 60.0


def run_order(order: LoadOrder) -> int:
    """Run the load; return 0 if all went as it should, else 1.

    Raises:
        BadLoad: no hub answers, or it is not in bench mode.
        HubNotReady: its agents do not come up, or no robot was welcomed.
    """
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_LOGS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        result = runner.run(_run(order, console))
    show(result, console)
    if order.json is not None:
        order.json.write_text(json.dumps(result.document(), indent=1) + "\n")
        console.print(f"written to {order.json}", markup=False)
    return FAILED if result.faults else OK


async def _run(order: LoadOrder, console: Console) -> LoadResult:
    await _check_bench_mode(order)
    await wait_until_ready(order.hub_url, lambda state: None, order.token, _READY_TIMEOUT_S)
    fleet = FleetOptions(
        url=order.hub_url,
        robots=order.robots,
        token=order.token,
        seed=order.seed,
        habits=Habits(talk=order.talk),
    )
    supervisor = order.supervisor_pid
    options = LoadOptions(
        fleet=fleet,
        seconds=order.minutes * 60,
        processes=(lambda: running_under(supervisor)) if supervisor else None,
    )
    # A full collection of everything imported would stall all robots at once.
    gc.collect()
    gc.freeze()
    with ProgressLine(console) as progress:
        return await run_load(options, progress.tell)


async def _check_bench_mode(order: LoadOrder) -> None:
    headers = {"Authorization": f"Bearer {order.token}"} if order.token else {}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
            answer = await client.get(f"{order.hub_url.rstrip('/')}/health", headers=headers)
        bench = answer.json().get("bench")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise BadLoad(f"no hub answers at {order.hub_url}: {reason}") from None
    except (ValueError, AttributeError):
        raise BadLoad(f"what answers at {order.hub_url} is no Robot Hub") from None
    if answer.status_code in (401, 403):
        raise BadLoad(f"the hub at {order.hub_url} wants a token: give one by --token")
    if not bench:
        raise BadLoad(
            f"the hub at {order.hub_url} is not in bench mode: start it by `robot-hub run --bench`"
        )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed: it halves what a frame costs."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
