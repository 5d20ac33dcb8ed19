"""``robot-hub demo``: a hub of its own, and a simulated robot that converses with it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from hub.commands.own_hub import own_hub
from hub.commands.simulator import entry
from hub.settings import Settings

CANNOT = 2
"""What the simulator's demo returns if no conversation could be held."""


def demo(settings: Settings, choices: Mapping[str, Any]) -> int:
    """Run the demo and return its exit code.

    Args:
        settings: where the hub keeps its data matters only if it was given; the port is any free
            one.
        choices: fields of the simulator's ``DemoOptions``, without those left to their defaults.

    Raises:
        HubNotStarted: the hub did not start.
    """
    options = entry("demo_options")
    run = entry("demo")
    if settings.hub_token is not None:
        choices = {**choices, "token": settings.hub_token.get_secret_value()}
    with own_hub(settings) as hub:
        code: int = run(options(hub_url=hub.url, **choices))
        if code == CANNOT and not hub.is_ready():
            Console(stderr=True).print(f"the hub said:\n{hub.last_words()}", markup=False)
    return code
