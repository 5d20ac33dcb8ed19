"""Stable Diffusion XL by the diffusers library in this process."""

import asyncio
import gc
import threading
import traceback
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import structlog

from agents.engines.calls import Left, Teller, told
from agents.engines.faults import OUT_OF_MEMORY, fault_of
from agents.engines.torch_device import choose_device
from agents.image_gen.backends.base import Made, News, Order, Step
from agents.image_gen.models import (
    HEAVY,
    INDEX,
    defect,
    find_model,
    not_installed,
    short_name,
    variant_of,
)
from agents.image_gen.png import png_of
from agents.image_gen.sources import mask_of, picture_of
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.progress import progress

SELF_TEST = Order("a red ball", width=64, height=64, steps=1)
_MIB = 1 << 20

log = structlog.get_logger(__name__)


class DiffusersOptions(NamedTuple):
    """What is loaded, where, and how it saves memory; see ``ImageSettings``."""

    model: str
    cache_dir: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    cpu_offload: bool = False
    attention_slicing: bool = False


class _Loaded(NamedTuple):
    """The three pipelines are made of the same parts: weights are there once."""

    torch: Any
    from_text: Any
    from_picture: Any
    inpainting: Any
    device: str
    dtype: Any


class DiffusersPainter:
    """Makes one picture at a time, step by step; further orders wait. Nothing that comes with the
    weights is executed, and nothing is fetched.

    Noise is drawn on the CPU, so a seed means the same on every device; the same bytes it means on
    one machine only, because devices reckon differently.
    """

    name = "diffusers"
    capacity = 1

    def __init__(self, options: DiffusersOptions, latch: Latch) -> None:
        self._options = options
        self._latch = latch
        self._loaded: _Loaded | None = None
        self._loading: asyncio.Future[_Loaded] | None = None
        self._alone = threading.Lock()
        self.model = short_name(options.model)
        self.counters: Counter[str] = Counter()

    async def start(self) -> None:
        """Load the model and let it take one step.

        Raises:
            BackendUnavailable: ``image_not_installed``, ``image_model_missing``, ``llm_no_gpu``,
                ``out_of_memory`` or ``image_load_failed``.
        """
        loop = asyncio.get_running_loop()
        self._loading = loop.run_in_executor(None, copy_context().run, _load, self._options)
        self._loaded = await asyncio.shield(self._loading)
        self._loading = None
        progress("taking a first step")
        try:
            async with aclosing(self.paint(SELF_TEST)) as news:
                async for _ in news:
                    pass
        except AgentError as error:
            raise BackendUnavailable(str(error), error.code) from error
        log.info("diffusers.loaded", model=self.model, **self.facts())

    async def close(self) -> None:
        """Free the model's memory, once the step that is being taken is done."""
        if self._loading is not None:
            with suppress(BackendUnavailable):
                self._loaded = await self._loading
            self._loading = None
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            await asyncio.to_thread(self._wait)
            torch = loaded.torch
            del loaded
            _free(torch)

    async def paint(self, order: Order) -> AsyncGenerator[News, None]:
        """See ``Painter``.

        Raises:
            AgentError: ``bad_picture``, ``out_of_memory`` or ``image_failed``.
        """
        if self._loaded is None:
            raise BackendUnavailable(f"{self.model} is not loaded")
        async with aclosing(told(partial(self._paint, self._loaded, order))) as news:
            async for one in news:
                yield one

    def facts(self) -> dict[str, str]:
        """What ``/health`` tells of the model."""
        loaded = self._loaded
        if loaded is None:
            return {}
        return {
            "device": loaded.device,
            "dtype": str(loaded.dtype).removeprefix("torch."),
            "cpu_offload": str(self._offloads(loaded)).lower(),
        }

    def _offloads(self, loaded: _Loaded) -> bool:
        return self._options.cpu_offload and loaded.device != "cpu"

    def _wait(self) -> None:
        with self._alone:
            pass

    def _paint(self, loaded: _Loaded, order: Order, tell: Teller[News]) -> None:
        """Blocking: the pictures of ``order``, one after the other."""
        with self._alone, self._coded(loaded):
            tell.check()
            self._count_truncated(loaded, order)
            pipeline, inputs = _work(loaded, order)
            for image, seed in enumerate(order.seeds):
                self._latch.pass_through(tell.is_left)
                tell.check()
                generator = loaded.torch.Generator("cpu").manual_seed(seed)
                pixels = pipeline(
                    **inputs,
                    generator=generator,
                    output_type="np",
                    callback_on_step_end=self._between_steps(image, tell),
                ).images[0]
                tell(_made(pixels, order))

    def _between_steps(self, image: int, tell: Teller[News]) -> Callable[..., Any]:
        """What the pipeline calls after each step. The exception that leaves it takes nothing away
        from the pipeline; its own ``_interrupt`` would still decode what nobody wants."""

        def after(pipeline: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            tell(Step(image, step + 1, pipeline.num_timesteps))
            self._latch.pass_through(tell.is_left)
            tell.check()
            return tensors

        return after

    def _count_truncated(self, loaded: _Loaded, order: Order) -> None:
        """The text encoders read a prompt's beginning only; what they do not read is counted."""
        tokenizer = loaded.from_text.tokenizer
        for text in (order.prompt, order.negative_prompt):
            tokens = len(tokenizer(text, truncation=False, verbose=False).input_ids)
            if tokens > tokenizer.model_max_length:
                self.counters["prompt_truncated"] += 1
                log.warning("prompt_truncated", tokens=tokens, read=tokenizer.model_max_length)

    @contextmanager
    def _coded(self, loaded: _Loaded) -> Iterator[None]:
        """Turns what the library raises into agent errors, and leaves the engine as it was."""
        try:
            yield
        except (Left, AgentError):
            raise
        except Exception as error:
            fault = fault_of(f"{type(error).__name__}: {error}")
            # The frames of the library hold its tensors for as long as the error lives.
            traceback.clear_frames(error.__traceback__)
            _free(loaded.torch)
            code = "out_of_memory" if fault.code == OUT_OF_MEMORY else "image_failed"
            raise AgentError(f"{self.model}: {fault.reason}", code) from error
        finally:
            _tidy(loaded)


def _load(options: DiffusersOptions) -> _Loaded:
    """Blocking: from the imports to weights on their device."""
    if absent := not_installed():
        raise BackendUnavailable(absent, "image_not_installed")
    folder = find_model(options.model, options.cache_dir)
    if folder is None:
        raise BackendUnavailable(
            f"{options.model} is neither a directory with a {INDEX} nor in the local cache of the"
            " model hub",
            "image_model_missing",
        )
    if lack := defect(folder):
        raise BackendUnavailable(f"{options.model}: {lack}", "image_model_missing")
    progress(f"importing diffusers for {short_name(options.model)}")
    try:
        import torch

        device = choose_device(options.device, torch)
        usual = "float16" if device == "cuda" else "float32"
        dtype = getattr(torch, usual if options.dtype == "auto" else options.dtype)
        pipeline = _pipeline(folder, dtype)
        return _placed(torch, pipeline, device, dtype, options)
    except BackendUnavailable:
        raise
    except ImportError as error:
        raise BackendUnavailable(
            f"diffusers is not installed; install robot-hub[image] ({error})", "image_not_installed"
        ) from error
    except Exception as error:
        fault = fault_of(f"{type(error).__name__}: {error}")
        traceback.clear_frames(error.__traceback__)
        code = "out_of_memory" if fault.code == OUT_OF_MEMORY else "image_load_failed"
        raise BackendUnavailable(
            f"{short_name(options.model)} cannot be loaded: {fault.reason}", code
        ) from error


def _pipeline(folder: Path, dtype: Any) -> Any:
    """The parts of a model, the heavy ones one by one so that their progress can be told."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()
    index = msgspec.json.decode((folder / INDEX).read_bytes(), type=dict[str, Any])
    here: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
    variant = variant_of(folder)
    sizes = {part: _weights_mib(folder / part, variant) for part in HEAVY}
    parts: dict[str, Any] = {}
    done, total = 0.0, round(sum(sizes.values()), 1)
    for part in HEAVY:
        progress(f"loading {part}", round(done, 1), total, "MiB")
        library_name, kind = index[part]
        loader = getattr(import_module(library_name), kind)
        parts[part] = loader.from_pretrained(folder / part, dtype=dtype, variant=variant, **here)
        done += sizes[part]
    pipeline = diffusers.StableDiffusionXLPipeline.from_pretrained(
        folder, **parts, dtype=dtype, add_watermarker=False, **here
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _placed(
    torch: Any, pipeline: Any, device: str, dtype: Any, options: DiffusersOptions
) -> _Loaded:
    """The pipeline on its device, and its two siblings of the same parts."""
    from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLInpaintPipeline

    progress(f"moving to {device}")
    pipeline.vae.enable_slicing()
    pipeline.vae.enable_tiling()
    if options.attention_slicing:
        pipeline.enable_attention_slicing()
    if device == "cuda":
        # What is fastest today must be what was fastest yesterday, or bytes differ.
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
    if options.cpu_offload and device == "cpu":
        log.warning("cpu_offload_ignored", reason="the model is on the CPU anyway")
    if options.cpu_offload and device != "cpu":
        pipeline.enable_model_cpu_offload()
    else:
        pipeline.to(device)
    return _Loaded(
        torch,
        from_text=pipeline,
        from_picture=_sibling(StableDiffusionXLImg2ImgPipeline, pipeline),
        inpainting=_sibling(StableDiffusionXLInpaintPipeline, pipeline),
        device=device,
        dtype=dtype,
    )


def _sibling(kind: Any, pipeline: Any) -> Any:
    zeros = pipeline.config.force_zeros_for_empty_prompt
    sibling = kind(**pipeline.components, force_zeros_for_empty_prompt=zeros, add_watermarker=False)
    sibling.set_progress_bar_config(disable=True)
    return sibling


def _work(loaded: _Loaded, order: Order) -> tuple[Any, dict[str, Any]]:
    """The pipeline for ``order``, and what it is given beside the seed.

    Raises:
        AgentError: ``bad_picture``; the source or its mask is none.
    """
    inputs: dict[str, Any] = {
        "prompt": order.prompt,
        "negative_prompt": order.negative_prompt or None,
        "num_inference_steps": order.steps,
        "guidance_scale": order.guidance,
    }
    size = (order.width, order.height)
    if not order.source:
        return loaded.from_text, {**inputs, "width": order.width, "height": order.height}
    inputs |= {"image": picture_of(order.source, size), "strength": order.strength}
    if not order.mask:
        return loaded.from_picture, inputs
    mask = mask_of(order.mask, size)
    return loaded.inpainting, {
        **inputs, "mask_image": mask, "width": order.width, "height": order.height,
    }  # fmt: skip


def _made(pixels: Any, order: Order) -> Made:
    """The picture of ``pixels`` (0 to 1); outside of a mask it stays the source, which decoding
    alone would change a little."""
    if not np.isfinite(pixels).all():
        raise AgentError("the model made no numbers of it", "image_failed")
    drawn = np.rint(pixels * 255).clip(0, 255).astype(np.uint8)
    height, width, _ = drawn.shape
    if order.mask:
        size = (width, height)
        kept = np.asarray(mask_of(order.mask, size)) < 128
        drawn[kept] = np.asarray(picture_of(order.source, size))[kept]
    return Made(png_of(drawn), width, height)


def _tidy(loaded: _Loaded) -> None:
    """What a pipeline that was left does not do, or one whose parts another one has offloaded: its
    decoder may be in another precision than the rest, and a part where another belongs."""
    decoder = loaded.from_text.vae
    if decoder.dtype != loaded.dtype:
        decoder.to(dtype=loaded.dtype)
    loaded.from_text.maybe_free_model_hooks()


def _free(torch: Any) -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _weights_mib(folder: Path, variant: str | None) -> float:
    files = folder.glob(f"*.{variant}.safetensors" if variant else "*.safetensors")
    return round(sum(file.stat().st_size for file in files) / _MIB, 1)
