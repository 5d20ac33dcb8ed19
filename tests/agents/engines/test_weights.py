"""Where a model is looked for."""

from pathlib import Path

import pytest

from agents.engines.weights import find_weights, short_name
from agents.runtime.errors import BackendUnavailable


def model(folder: Path, *files: str) -> str:
    for file in files:
        (folder / file).write_bytes(b"{}")
    return str(folder)


def test_a_directory_with_a_config_and_weights_is_a_model(tmp_path: Path) -> None:
    name = model(tmp_path, "config.json", "model-00001-of-00002.safetensors")
    assert find_weights(name) == tmp_path.resolve()
    assert short_name(name) == tmp_path.name


@pytest.mark.parametrize(
    ("files", "what"),
    [((), "no config.json"), (("config.json",), "no weights")],
)
def test_what_is_not_complete_says_what_it_lacks(
    tmp_path: Path, files: tuple[str, ...], what: str
) -> None:
    with pytest.raises(BackendUnavailable, match=what) as caught:
        find_weights(model(tmp_path, *files))
    assert caught.value.code == "llm_model_missing"


@pytest.mark.parametrize("name", ["nobody/nothing", "no such directory", "../..//x", ""])
def test_what_is_nowhere_is_not_fetched(name: str) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        find_weights(name)
    assert caught.value.code == "llm_model_missing"
    assert short_name(name) == name
