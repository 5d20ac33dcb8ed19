"""The belt that the settings ask for."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module

from agents.planner.settings import REFLEX_ROLE, PlannerSettings
from agents.planner.tools.allowed import Allowed
from agents.planner.tools.belt import Belt, Link
from agents.planner.tools.pins import Pins
from agents.planner.tools.servers import Server
from agents.runtime.errors import BackendUnavailable

PINS_FILE = "mcp-pins.json"
_CLIENT = "agents.planner.tools.client"


def belt_for(settings: PlannerSettings) -> Belt | None:
    """The belt with the servers of tools; None where there is none, or no model to wish for one.

    Raises:
        BackendUnavailable: ``MCP_SERVERS`` cannot be meant, or what is known of the tools'
            descriptions cannot be read.
    """
    rules = settings.role == REFLEX_ROLE or settings.backend == "reflex"
    if rules or not settings.tools_enabled:
        return None
    try:
        servers = settings.tool_server_specs()
    except ValueError as error:
        raise BackendUnavailable(f"MCP_SERVERS: {error}") from None
    if not servers:
        return None
    try:
        pins = Pins(settings.tool_pins_dir / PINS_FILE)
    except ValueError as error:
        raise BackendUnavailable(str(error)) from None
    allowed = Allowed(settings.tool_allow)
    return Belt(servers, allowed, pins, _connected, settings.tool_budget_ms / 1_000)


@asynccontextmanager
async def _connected(server: Server) -> AsyncGenerator[Link, None]:
    """A connection; the SDK is imported for the first, off the loop."""
    client = await asyncio.to_thread(import_module, _CLIENT)
    async with client.connected(server) as link:
        yield link
