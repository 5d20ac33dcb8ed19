"""A hub with scripted engines for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.stack import Stack, running


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as stack:
        yield stack
