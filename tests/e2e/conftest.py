"""Fixtures of other folders that stand behind processes, too."""

from tests.hub.edge.mcp.conftest import tools as tools
