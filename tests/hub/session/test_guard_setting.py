"""``HUB_GUARD`` switches the guard, and nothing else does."""

from pathlib import Path

import pytest

from hub.app import _policy
from hub.session.state import Policy
from hub.settings import load


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))


def test_the_guard_is_on_unless_it_is_switched_off() -> None:
    assert Policy().guard
    assert _policy(load()).guard


@pytest.mark.parametrize(("value", "on"), [("off", False), ("0", False), ("on", True), ("1", True)])
def test_the_setting_reaches_the_engine(
    value: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_GUARD", value)
    assert _policy(load()).guard is on
