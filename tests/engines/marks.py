"""What the tests of heavy engines are marked with."""

import pytest

ENGINE = [
    pytest.mark.engine,
    # Their libraries warn of each other all the time, in processes of which these are the parents.
    pytest.mark.filterwarnings("ignore"),
]
ONE_LOOP = [*ENGINE, pytest.mark.asyncio(loop_scope="module")]
"""For a module whose tests share an engine: an engine lives on one loop."""
