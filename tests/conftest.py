"""What holds for all tests: property tests draw the same examples in every run, and the collector
looks at nothing but what tests have made."""

import functools
import gc
import sys
from collections.abc import Iterator

import httpx._transports.default as transports
import hypothesis
import pytest

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

# Every client reads all roots of trust, though none of them speaks TLS: 20 ms of processor time.
transports.create_ssl_context = functools.cache(transports.create_ssl_context)

_freeze, _unfreeze = gc.freeze, gc.unfreeze


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """All modules and tests are there, and stay: to walk them again and again is a third of all
    work. Hubs and agents that run in this process neither hide their own garbage nor undo that."""
    _settle()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let go of hubs that are over: FastAPI remembers thousands of functions of routes, and an
    error that is a parameter remembers where it was raised."""
    for given in getattr(getattr(item, "callspec", None), "params", {}).values():
        if isinstance(given, BaseException):
            given.__traceback__ = given.__context__ = None
    if (models := sys.modules.get("fastapi.dependencies.models")) is not None:
        for name, remembering in vars(models).items():
            if name.endswith("_cached"):
                remembering.cache_clear()


@pytest.fixture
def real_collector() -> Iterator[None]:
    """What a test freezes is frozen."""
    gc.freeze, gc.unfreeze = _freeze, _unfreeze
    yield
    _settle()


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What nobody names is gone, or a test finds it."""
    gc.disable()
    yield
    gc.enable()


def _settle() -> None:
    gc.collect()
    _freeze()
    gc.freeze = gc.unfreeze = _nothing


def _nothing() -> None:
    pass
