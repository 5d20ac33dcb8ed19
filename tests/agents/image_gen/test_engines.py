"""Which painter is taken, why, and what is said where none can be."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agents.image_gen import engines
from agents.image_gen.backends.base import PAINTERS
from agents.image_gen.engines import chosen
from agents.image_gen.models import HEAVY, INDEX, defect, find_model, not_installed, variant_of
from agents.image_gen.settings import ImageSettings
from agents.image_gen.slotted import with_model
from agents.runtime.errors import BackendUnavailable
from agents.runtime.latch import Latch

SDXL = "StableDiffusionXLPipeline"


def settings(**fields: Any) -> ImageSettings:
    return ImageSettings(bus_dir=Path("/nowhere"), _env_file=None, **fields)  # type: ignore[call-arg]


def model_in(
    folder: Path, *, kind: str = SDXL, library: str = "diffusers", file: str = "w"
) -> Path:
    """What looks like a model, without its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part: [library, "Class"] for part in HEAVY}
    (folder / INDEX).write_text(
        json.dumps({"_class_name": kind, "image_encoder": [None, None], **parts})
    )
    for part in HEAVY:
        (folder / part).mkdir(exist_ok=True)
        (folder / part / f"{file}.safetensors").touch()
    return folder


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has the extra."""
    monkeypatch.setattr(engines, "not_installed", lambda: "")


def test_a_painter_that_is_named_is_taken() -> None:
    by_name = {
        name: chosen(settings(backend=name, image_base_url="http://h/v1"), Latch()).painter.name
        for name in PAINTERS
        if name != "diffusers"
    }
    assert by_name == {"openai": "openai", "scripted": "scripted"}


@pytest.mark.usefixtures("installed")
def test_auto_takes_diffusers_where_the_model_is_on_disk(tmp_path: Path) -> None:
    choice = chosen(settings(model_path=str(model_in(tmp_path))), Latch())
    assert (choice.painter.name, choice.painter.model) == ("diffusers", tmp_path.name)
    assert choice.reason == f"model {tmp_path} is on disk"


@pytest.mark.usefixtures("installed")
def test_auto_takes_the_server_where_it_is_not() -> None:
    choice = chosen(settings(model_path="/nowhere/sdxl", image_base_url="http://h/v1"), Latch())
    assert choice.painter.name == "openai"
    assert choice.reason == "image model /nowhere/sdxl is not on disk, and http://h/v1 is named"


@pytest.mark.usefixtures("installed")
def test_auto_that_finds_neither_says_so_in_one_sentence() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        chosen(settings(model_path="/nowhere/sdxl"), Latch())
    assert str(caught.value) == (
        "image model /nowhere/sdxl is not on disk, and IMAGE_BASE_URL names no server"
    )


@pytest.mark.skipif(find_spec("diffusers") is not None, reason="it is installed")
def test_without_the_library_its_extra_is_named() -> None:
    with pytest.raises(BackendUnavailable, match=r"not installed; install robot-hub\[.*image.*\]"):
        chosen(settings(backend="diffusers"), Latch())
    assert "diffusers" in not_installed()


def test_a_key_of_the_planners_servers_goes_to_no_other_server() -> None:
    shared = {"openai_base_url": "http://a/v1#qwen,http://b/v1", "openai_api_key": "one,two"}
    assert settings(**shared).endpoint == ("http://a/v1", "one")
    assert settings(**shared, image_base_url="http://c/v1").endpoint == ("http://c/v1", "")
    own = settings(**shared, image_base_url="http://c/v1", image_api_key="own")
    assert own.endpoint == ("http://c/v1", "own")


def test_a_model_is_found_by_its_path_or_by_its_name_in_a_folder(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "models" / "sdxl")
    assert find_model(str(folder)) == folder
    assert find_model("sdxl", tmp_path / "models") == folder
    assert find_model("sdxl", tmp_path) is None
    assert find_model("no/such model") is None


def test_a_model_is_found_in_the_model_hubs_cache(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    revision = "a" * 40
    repository = tmp_path / "models--stabilityai--sdxl"
    folder = model_in(repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    assert find_model("stabilityai/sdxl", tmp_path) == folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "FluxPipeline"}, "it is a FluxPipeline, and Stable Diffusion XL is what"),
        ({"library": "os"}, "its unet comes from os, which is not loaded from a model"),
    ],
)
def test_what_is_no_sdxl_is_not_loaded(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    assert defect(model_in(tmp_path, **changes)).startswith(said)


def test_a_part_without_safe_weights_is_named(tmp_path: Path) -> None:
    folder = model_in(tmp_path)
    assert defect(folder) == ""
    (folder / "unet" / "w.safetensors").rename(folder / "unet" / "w.bin")
    assert defect(folder) == "unet have no weights (*.safetensors)"


@pytest.mark.parametrize("index", [b"", b"[]", b"{"])
def test_an_index_that_is_none_is_said_to_be(tmp_path: Path, index: bytes) -> None:
    (tmp_path / INDEX).write_bytes(index)
    assert defect(tmp_path).startswith(f"{INDEX} cannot be read")


@pytest.mark.parametrize(
    ("files", "variant"), [(("w",), None), (("w.fp16",), "fp16"), (("w", "w.fp16"), None)]
)
def test_half_precision_is_read_where_there_is_nothing_else(
    tmp_path: Path, files: tuple[str, ...], variant: str | None
) -> None:
    for file in files:
        model_in(tmp_path, file=file)
    assert variant_of(tmp_path) == variant


@pytest.mark.usefixtures("installed")
def test_a_model_that_is_asked_for_by_name_comes_from_the_disk_or_from_the_server(
    tmp_path: Path,
) -> None:
    on_disk = str(model_in(tmp_path))
    auto = settings(image_base_url="http://h/v1")
    assert with_model(auto, on_disk).model == on_disk
    assert with_model(auto, "flux").openai_model == "flux"
    assert with_model(settings(backend="openai"), "flux").openai_model == "flux"
    assert with_model(settings(backend="diffusers", model_path="/old"), "new").model == "new"
    with pytest.raises(BackendUnavailable, match="image model flux is not on disk, and IMAGE_BASE"):
        chosen(with_model(settings(), "flux"), Latch())
