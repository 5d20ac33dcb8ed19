"""``python -m benchmarks.gpu true|tiny``: minds, voices and images on one GPU, measured together.

The planner (Qwen3-8B), the voice (Orpheus-3B and its codec), the recogniser (Whisper large-v3-turbo)
and SDXL run at their true shapes with made weights, behind a hub of real processes. Exit code 1: a
goal was missed or something failed; 2: this machine cannot run it.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.gpu.conversation import Heard, talkers, together
from benchmarks.gpu.images import MISSING, can_draw, drawing
from benchmarks.gpu.machine import PLANNER_GIB, VOICE_GIB, refusal, used_gib
from benchmarks.gpu.models import Models, make_models
from benchmarks.gpu.shapes import TINY, TRUE
from benchmarks.gpu.verdicts import Round, rows, without_images
from benchmarks.processes import Worker
from benchmarks.report import WIDTH_OF_LOGS, Line, Row, calibrate, show, write
from benchmarks.stack import RUN, Stack, stack
from hub.gpu import BYTES_PER_GIB, Nvml, Reading

RESULT = Path("build/bench-gpu.json")
READY_TIMEOUT_S = 900.0
SEQUENCES = 16
"""What each engine does at once: more than robots, so that nothing waits for a place."""


class Plan(NamedTuple):
    """How much is measured: rounds of ``round_s`` for each number of robots."""

    robots: tuple[int, ...]
    rounds: int
    round_s: float


PLANS = {"true": Plan((1, 8), 2, 60.0), "tiny": Plan((1, 2), 1, 8.0)}


def environment(models: Models, shapes: str, reading: Reading) -> dict[str, str]:
    """The settings of the hub that is measured."""
    tiny = shapes == "tiny"
    total_gib = reading.gpus[0].total_bytes / BYTES_PER_GIB if reading.gpus else 0.0
    planner, voice = (0.1, 0.1) if tiny else (PLANNER_GIB / total_gib, VOICE_GIB / total_gib)
    kind = "float32" if tiny else "float16"
    return {
        "HUB_AGENTS": "ears,stt,planner,tts",
        # Nobody else answers in the model's place, and what is heard first is its answer.
        "HUB_FILLER_MS": "60000",
        "HUB_PLANNER_DEADLINE_MS": "60000",
        "EARS_BACKEND": "scripted",
        "STT_BACKEND": "faster_whisper",
        "STT_MODEL_SIZE": str(models.whisper),
        "STT_LANGUAGE": "en",
        "STT_WORKERS": "2",
        "STT_DEVICE": "cpu" if tiny else "cuda",
        "STT_COMPUTE_TYPE": kind,
        "LLM_BACKEND": "vllm",
        "LLM_MAX_INFLIGHT": str(SEQUENCES),
        "VLLM_MODEL_NAME": str(models.planner),
        "VLLM_DTYPE": kind,
        "VLLM_MAX_NUM_SEQS": str(SEQUENCES),
        "VLLM_GPU_MEMORY_UTILIZATION": f"{max(planner, 0.05):.3f}",
        "TTS_BACKEND": "orpheus",
        "PERFORMANCE_MODE": "1",
        "TTS_MODEL_NAME": str(models.voice),
        "ORPHEUS_SNAC_MODEL": str(models.snac),
        "ORPHEUS_MAX_NUM_SEQS": str(SEQUENCES),
        "ORPHEUS_GPU_MEMORY_UTILIZATION": f"{max(voice, 0.05):.3f}",
        "TTS_BUSY_QUEUE_THRESHOLD": str(SEQUENCES),
        # An untrained voice never ends by itself.
        "TTS_MAX_UTTERANCE_S": "1" if tiny else "4",
    }


class Bench:
    """A running hub and the rounds that were measured on it."""

    def __init__(self, hub: Stack, plan: Plan, shapes: str) -> None:
        self._hub = hub
        self._plan = plan
        self._shapes = shapes
        self._nvml = Nvml()
        self.rounds: list[Round] = []
        self.most_gib = 0.0

    def run(self) -> list[Row]:
        """Measure everything, first without images."""
        self._talk(draws=False)
        left_out = [] if can_draw() else [without_images(MISSING)]
        if not left_out:
            self._talk(draws=True)
        return rows(self.rounds, self.most_gib, judged=self._shapes == "true") + left_out

    def _talk(self, *, draws: bool) -> None:
        with ExitStack() as scope:
            drawn = scope.enter_context(drawing(self._shapes)) if draws else None
            for robots in self._plan.robots:
                steps, failed = drawn.steps if drawn else 0, self._failures()
                begun = time.monotonic()
                heard = self._hear(robots, f"gpu-{robots}-{int(draws)}")
                rate = None
                if drawn is not None:
                    drawn.check()
                    rate = (drawn.steps - steps) / (time.monotonic() - begun)
                self.rounds.append(Round(robots, heard, rate, self._failures() - failed))

    def _hear(self, robots: int, name: str) -> Heard:
        heard: list[Heard] = []
        with Worker(talkers, self._hub.url, robots, name) as worker:
            for _ in range(self._plan.rounds):
                heard.append(worker.ask(self._plan.round_s))
                self.most_gib = max(self.most_gib, used_gib(self._nvml.read()))
        return together(heard)

    def _failures(self) -> int:
        """How often Orpheus failed so far, and espeak-ng spoke for it."""
        return self._hub.log.read_text("utf-8", "replace").count("voice_failed")


def measure(shapes: str, errors: Console) -> list[Row]:
    """Make the models, start the hub on them and measure it.

    Raises:
        RuntimeError: the hub, its clients or the images failed.
    """
    command = ("benchmarks.gpu.start",) if shapes == "tiny" else RUN
    RESULT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULT.parent, prefix="bench-gpu-") as folder:
        with errors.status("making models"):
            models = make_models(Path(folder).absolute(), TINY if shapes == "tiny" else TRUE)
        settings = environment(models, shapes, Nvml().read())
        with (
            errors.status("loading models") as status,
            stack(settings, command, READY_TIMEOUT_S) as hub,
        ):
            status.update("measuring")
            try:
                return Bench(hub, PLANS[shapes], shapes).run()
            except RuntimeError as error:
                raise RuntimeError(f"{error}\n{hub.log.read_text('utf-8', 'replace')}") from error


def main(arguments: Sequence[str]) -> int:
    """Run the bench; return the exit code."""
    errors = Console(stderr=True)
    shapes = arguments[0] if arguments else "true"
    if reason := refusal(shapes, Nvml().read(), devices=()):
        errors.print(reason, soft_wrap=True, markup=False)
        return 2
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_LOGS)
    before_ms = calibrate()
    try:
        report = measure(shapes, errors)
    except RuntimeError as error:
        errors.print(str(error), soft_wrap=True, markup=False)
        return 1
    took_ms = max(before_ms, calibrate())
    lines = [Line(row, took_ms) for row in report]
    show(lines, console)
    write(lines, RESULT)
    console.print(f"written to {RESULT}")
    if shapes == "tiny":
        console.print("tiny shapes try the bench itself: these figures say nothing about a GPU")
    return 1 if any(line.row.ok is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
