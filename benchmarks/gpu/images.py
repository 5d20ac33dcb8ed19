"""Draws images without end on the GPU, as an image agent that never yields would: the worst
neighbour. The image agent itself holds between two steps while a robot is being answered.

``python -m benchmarks.gpu.images true|tiny`` is the process: SDXL's own network and decoder with
random weights, driven step by step as its pipeline does (guidance: two latents a step). It writes a
line for every step. Text encoders, which run once an image, are left out.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Any

from benchmarks.gpu.shapes import TINY, TRUE, ImageShape

MISSING = "no images were drawn: diffusers is not installed; install robot-hub[image]"
FIRST_IMAGE_S = 300.0
_STOP_S = 10.0
_PROMPT_TOKENS = 77
_STEP, _IMAGE = "step\n", "image\n"


class Drawing:
    """A process that draws."""

    def __init__(self, log: Path, process: "Popen[bytes]") -> None:
        self._log = log
        self._process = process

    @property
    def steps(self) -> int:
        """Steps that were taken so far."""
        return self._log.read_text("utf-8", "replace").count(_STEP)

    def check(self) -> None:
        """Raises:
        RuntimeError: it draws no more; the text ends with what it said.
        """
        if self._process.poll() is not None:
            raise RuntimeError(f"the images ended: {self._log.read_text('utf-8', 'replace')}")

    def await_image(self) -> None:
        """Return once an image is complete.

        Raises:
            RuntimeError: it ended, or takes too long.
        """
        deadline = time.monotonic() + FIRST_IMAGE_S
        while _IMAGE not in self._log.read_text("utf-8", "replace"):
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"no image came in {FIRST_IMAGE_S:g} s")
            time.sleep(0.1)


def can_draw() -> bool:
    """Whether what draws is installed."""
    return find_spec("diffusers") is not None


@contextmanager
def drawing(shapes: str) -> Iterator[Drawing]:
    """Images are drawn, from the first complete one on until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="robot-hub-images-") as folder:
        log = Path(folder) / "images.log"
        with log.open("wb") as sink:
            command = [sys.executable, "-m", __name__, shapes]
            process = Popen(command, stdin=DEVNULL, stdout=sink, stderr=sink)
        try:
            drawn = Drawing(log, process)
            drawn.await_image()
            yield drawn
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except TimeoutExpired:
                process.kill()
                process.wait()


def draw(shape: ImageShape) -> None:
    """Draw for ever."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel

    on_gpu = torch.cuda.is_available()
    device, kind = ("cuda", torch.float16) if on_gpu else ("cpu", torch.float32)
    if not on_gpu:
        torch.set_num_threads(1)
    unet = UNet2DConditionModel(**shape.unet).to(device, kind).eval()
    vae = AutoencoderKL(**shape.vae).to(device, kind).eval()
    scheduler = EulerDiscreteScheduler()

    def some(*size: int) -> Any:
        return torch.randn(size, device=device, dtype=kind)

    prompt = some(2, _PROMPT_TOKENS, shape.prompt_width)
    told = {
        "text_embeds": some(2, shape.pooled_width),
        "time_ids": torch.full((2, 6), 1024.0, device=device, dtype=kind),
    }
    with torch.inference_mode():
        while True:
            scheduler.set_timesteps(shape.steps, device=device)
            latents = some(1, 4, shape.latent, shape.latent) * scheduler.init_noise_sigma
            for moment in scheduler.timesteps:
                pair = scheduler.scale_model_input(torch.cat([latents] * 2), moment)
                noise = unet(
                    pair, moment, encoder_hidden_states=prompt, added_cond_kwargs=told
                ).sample
                plain, guided = noise.chunk(2)
                latents = scheduler.step(
                    plain + 5.0 * (guided - plain), moment, latents
                ).prev_sample
                if on_gpu:
                    torch.cuda.synchronize()
                _say(_STEP)
            vae.decode(latents / vae.config.scaling_factor)
            _say(_IMAGE)


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    draw(TINY.image if sys.argv[1] == "tiny" else TRUE.image)
