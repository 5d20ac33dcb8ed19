"""The bench of a shared GPU: its shapes, the weights it makes, and what it says of what it heard."""

import json
import struct
from math import nan
from pathlib import Path

import numpy as np
import pytest

from agents.planner.prompt import answer_schema
from agents.tts.orpheus_codes import CODES, FIRST_CODE, FRAME_TOKENS, START_OF_SPEECH
from benchmarks.gpu import machine
from benchmarks.gpu.__main__ import environment, main
from benchmarks.gpu.answer import BEFORE_TEXT, PIECES
from benchmarks.gpu.conversation import Heard, together
from benchmarks.gpu.language import frame_path, make_planner
from benchmarks.gpu.models import Models
from benchmarks.gpu.shapes import (
    ORPHEUS_3B,
    QWEN3_8B,
    TINY,
    WHISPER_LARGE_V3_TURBO,
    LanguageShape,
    language_parameters,
    tensors,
    whisper_parameters,
)
from benchmarks.gpu.verdicts import Round, rows, without_images
from benchmarks.gpu.weights import Step, write_weights
from benchmarks.gpu.whisper import WORDS, make_whisper
from benchmarks.report import Row
from hub.gpu import BYTES_PER_GIB, Gpu, Reading
from hub.settings import Settings
from protocols.messages.turn import TurnStart
from protocols.vocabulary import EMOTIONS

NOTHING = Reading(why="NVML Shared Library Not Found")
DEVICE = Path("/dev/nvidia0")
QUICK = Heard([400_000_000, 450_000_000], 8.0, 0, 0, [], 0)


class Follower:
    """What weights of a path write after a token: a model whose layers add nothing."""

    def __init__(self, file: Path, shape: LanguageShape) -> None:
        data = file.read_bytes()
        (length,) = struct.unpack_from("<Q", data)
        self.header = json.loads(data[8 : 8 + length])
        self._data = data[8 + length :]
        self.tensors = {name: self._tensor(name) for name in tensors(shape)}

    def _tensor(self, name: str) -> np.ndarray:
        begin, end = self.header[name]["data_offsets"]
        return np.frombuffer(self._data[begin:end], np.float32).reshape(self.header[name]["shape"])

    def after(self, token: int) -> np.ndarray:
        """The logits of what follows ``token``."""
        hidden = self.tensors["model.embed_tokens.weight"][token]
        normal = hidden / np.sqrt(np.mean(hidden**2) + 1e-6)
        return np.asarray(self.tensors["lm_head.weight"] @ normal)


def of_case(report: list[Row], part: str) -> dict[str, Row]:
    return {row.metric: row for row in report if row.case == part}


@pytest.mark.parametrize(
    ("parameters", "published"),
    [
        (language_parameters(QWEN3_8B), 8.2e9),
        (language_parameters(ORPHEUS_3B), 3.3e9),
        (whisper_parameters(WHISPER_LARGE_V3_TURBO), 0.81e9),
    ],
)
def test_shapes_have_as_many_parameters_as_is_published(parameters: int, published: float) -> None:
    assert parameters == pytest.approx(published, rel=0.03)


def test_a_machine_without_a_gpu_is_told_so_and_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine.Nvml, "read", lambda _: NOTHING)
    monkeypatch.setattr(machine, "device_files", lambda: [])

    assert main(["true"]) == 2
    assert machine.main(["true"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == said[1]
    assert said[0].startswith("bench-gpu needs a GPU, and there is none here (NVML")
    assert said[0].endswith("SHAPES=tiny tries the bench itself on the CPU")


def test_a_gpu_that_cannot_be_asked_yet_is_given_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "find_spec", lambda _: None)
    assert machine.refusal("true", Reading(why="nvidia-ml-py is not installed"), [DEVICE]) == ""
    assert "needs a GPU" in machine.refusal("true", NOTHING, [])


def test_tiny_shapes_need_no_gpu() -> None:
    assert machine.refusal("tiny", NOTHING, []) == ""
    assert "SHAPES is true or tiny" in machine.refusal("huge", NOTHING, [])


def test_a_gpu_must_have_room_for_everything() -> None:
    def with_free(gib: float) -> Reading:
        return Reading((Gpu("A", 80 * BYTES_PER_GIB, int(gib * BYTES_PER_GIB)),))

    assert machine.refusal("true", with_free(79.0), [DEVICE]) == ""
    assert "needs 48 GiB of free GPU memory, and A has 20.0" in machine.refusal(
        "true", with_free(20.0), [DEVICE]
    )


def test_the_answer_is_one_json_object_of_the_schema_and_no_piece_occurs_twice() -> None:
    answer = json.loads("".join(PIECES))
    schema = answer_schema(TurnStart(user_text="", emotions=EMOTIONS))
    assert list(answer) == list(schema["properties"])
    assert answer["emotion"] in EMOTIONS
    assert len(set(PIECES)) == len(PIECES)
    assert 30 <= len(BEFORE_TEXT) <= 40


def test_the_planners_model_writes_its_answer_and_ends(tmp_path: Path) -> None:
    make_planner(tmp_path, TINY.planner, "float32")
    model = Follower(tmp_path / "model.safetensors", TINY.planner)
    document = json.loads((tmp_path / "tokenizer.json").read_text())
    tokens = {at: token for token, at in document["model"]["vocab"].items()}
    tokens |= {token["id"]: token["content"] for token in document["added_tokens"]}
    assert len(tokens) == TINY.planner.vocabulary

    last, written = next(at for at, token in tokens.items() if token == "</think>"), []
    for _ in PIECES:
        last = int(model.after(last).argmax())
        written.append(tokens[last].replace("Ġ", " "))
    assert tuple(written) == PIECES
    assert tokens[int(model.after(last).argmax())] == "<|im_end|>"


def test_what_layers_add_is_nothing_and_what_they_compute_is_not(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", TINY.planner, [Step((1,), (2,))], "float32")
    model = Follower(tmp_path / "w", TINY.planner)
    for name, tensor in model.tensors.items():
        silent = "o_proj" in name or "down_proj" in name
        assert tensor.any() != silent, name


def test_a_path_that_is_longer_than_the_hidden_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="129 steps do not fit into 128"):
        write_weights(tmp_path / "w", TINY.planner, [Step((1,), (2,))] * 129, "float32")


def test_codes_follow_each_other_in_the_order_of_a_frame() -> None:
    first_of = {FIRST_CODE + CODES * place: place for place in range(FRAME_TOKENS)}
    follows = {step.last[0]: first_of[step.following[0]] for step in frame_path()}
    assert follows.pop(START_OF_SPEECH) == 0
    assert follows == {at: (place + 1) % FRAME_TOKENS for at, place in first_of.items()}


def test_the_made_whisper_hears_the_same_words_in_everything(tmp_path: Path) -> None:
    faster_whisper = pytest.importorskip("faster_whisper")
    make_whisper(tmp_path, TINY.whisper, "float32")
    whisper = faster_whisper.WhisperModel(str(tmp_path), device="cpu", cpu_threads=1)
    parts, _ = whisper.transcribe(
        np.zeros(16_000, np.float32), language="en", beam_size=2, temperature=0.0,
        without_timestamps=True,
    )  # fmt: skip
    (part,) = parts
    assert part.text == "".join(WORDS)
    assert len(part.tokens) == len(WORDS)
    assert part.no_speech_prob < 0.1
    assert (tmp_path / "model.bin").stat().st_size > 3.9 * whisper_parameters(TINY.whisper)


def test_goals_are_judged_by_the_number_of_robots() -> None:
    slow = QUICK._replace(latencies_ns=[700_000_000])
    report = rows([Round(1, slow, None, 0), Round(8, slow, None, 0)], 41.5, judged=True)
    p50 = "end of speech → first audio p50"
    assert of_case(report, "GPU speech, 1 robot")[p50].ok is False
    assert of_case(report, "GPU speech, 8 robots")[p50].ok is True
    assert of_case(report, "GPU")["memory in use at most"].ours == 41.5


def test_gaps_are_judged_while_images_are_drawn() -> None:
    dry = QUICK._replace(gaps=1)
    report = rows([Round(1, dry, None, 0), Round(1, dry, 9.0, 0)], 0.0, judged=True)
    assert of_case(report, "GPU speech, 1 robot")["gaps"].ok is None
    drawn = of_case(report, "GPU speech, 1 robot, images drawn")
    assert drawn["gaps"].ok is False
    assert drawn["image steps"].ours == 9.0


@pytest.mark.parametrize(
    ("heard", "failures", "why"),
    [
        (QUICK, 2, "Orpheus failed 2 times"),
        (QUICK._replace(unanswered=1), 0, "1 answers did not end"),
        (QUICK._replace(faults=["turn 3 failed: x"]), 0, "first: turn 3 failed: x"),
        (QUICK._replace(latencies_ns=[]), 0, "nobody was answered"),
    ],
)
def test_figures_that_do_not_mean_what_they_say_miss_their_goal(
    heard: Heard, failures: int, why: str
) -> None:
    report = rows([Round(1, heard, None, failures), Round(1, heard, 9.0, failures)], 0, judged=True)
    judged = [row for row in report if row.goal]
    assert [row.ok for row in judged] == [False, False]
    assert all(why in row.note for row in judged)


def test_tiny_shapes_get_no_verdict() -> None:
    report = rows([Round(1, QUICK, None, 0), Round(1, QUICK, 9.0, 0)], 0.0, judged=False)
    assert {row.ok for row in report} == {None}


def test_what_could_not_be_run_is_named() -> None:
    row = without_images("diffusers is not installed")
    assert (row.ok, row.note) == (None, "not run: diffusers is not installed")
    assert str(row.ours) == str(nan)


def test_rounds_are_added_up() -> None:
    heard = together([QUICK, QUICK._replace(gaps=2, late_ns=7, faults=["x"])], 5)
    assert (len(heard.latencies_ns), heard.gaps, heard.faults, heard.late_ns) == (4, 2, ["x"], 7)


def test_the_shares_of_the_gpu_are_accepted_by_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models(*(Path("/models") / name for name in Models._fields))
    for total in (48, 80, 139):
        gpu = Gpu("A", total * BYTES_PER_GIB, total * BYTES_PER_GIB)
        for name, value in environment(models, "true", Reading((gpu,))).items():
            monkeypatch.setenv(name, value)
        settings = Settings()
        assert settings.orpheus_allowed
        assert sum(share.part for share in settings.gpu_shares) * total >= 35.0 - 0.1
