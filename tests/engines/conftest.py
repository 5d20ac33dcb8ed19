"""Tiny weights, made once per session, for tests that load them by real engines."""

from pathlib import Path

import pytest

from tests.engines.tiny import make_llava, make_qwen3


@pytest.fixture(scope="session")
def qwen3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a language model."""
    pytest.importorskip("transformers", reason="robot-hub[llm] is not installed")
    pytest.importorskip("torch", reason="robot-hub[llm] is not installed")
    return make_qwen3(tmp_path_factory.mktemp("qwen3"))


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a model that sees as well."""
    pytest.importorskip("transformers", reason="robot-hub[llm] is not installed")
    pytest.importorskip("torch", reason="robot-hub[llm] is not installed")
    return make_llava(tmp_path_factory.mktemp("llava"))
