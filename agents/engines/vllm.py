"""vLLM in this process's service: text from a language model, many at a time, token by token.

The engine itself runs in child processes that vLLM starts; here is the end that feeds them. Both
the planner (answers as text) and a voice made of a language model (audio codes as tokens) use it.
"""

import asyncio
import gc
import multiprocessing
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, suppress
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import structlog

from agents.engines import chat
from agents.engines.faults import fault_of
from agents.engines.vllm_process import not_installed, told
from agents.engines.weights import find_weights, short_name
from agents.runtime.death import engine_died
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.progress import progress
from protocols.messages.chat import Guide

VOICE = 0
"""Priority of what a user is waiting for; higher numbers wait."""
BACKGROUND = 10

SHUTDOWN_S = 1.0
"""How long the engine's processes may take to end before they are killed."""

ENGINE_DIED = "llm_engine_died"

log = structlog.get_logger(__name__)


class VllmOptions(NamedTuple):
    """What the engine is loaded with. ``model`` is a directory or a name in the local cache."""

    model: str
    dtype: str = "auto"
    quantization: str = ""
    """Empty: as the model's configuration says."""
    gpu_memory_utilization: float = 0.35
    """Share of the device's memory for weights and cache together; without a GPU, of the RAM."""
    max_model_len: int = 4096
    max_num_seqs: int = 2
    max_num_batched_tokens: int = 256
    """Tokens in one step, which caps how long a long prompt holds up others' next token."""
    tensor_parallel_size: int = 1
    """Devices that share the model."""
    kv_cache_bytes: int = 0
    """Size of the cache instead of what the utilisation leaves; 0: that."""


class Sampling(NamedTuple):
    """How one text is drawn. One of ``json_schema``, ``guide`` and ``allowed_tokens`` may restrict what
    may be drawn."""

    max_tokens: int
    temperature: float = 0.7
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    json_schema: dict[str, Any] | None = None
    allowed_tokens: Sequence[int] | None = None
    stop_tokens: Sequence[int] = ()
    stop: Sequence[str] = ()
    seed: int | None = None
    guide: Guide | None = None


class Piece(NamedTuple):
    """What one step added to a text; ``finish_reason`` (``stop``, ``length``) only on the last."""

    text: str
    tokens: tuple[int, ...]
    finish_reason: str = ""


class Load(NamedTuple):
    """Requests in the engine's own books, and prompt tokens it found computed already."""

    running: int = 0
    waiting: int = 0
    prefix_hits: int = 0

    @property
    def busy(self) -> bool:
        """Whether it has anything to do."""
        return self.running + self.waiting > 0


class VllmEngine:
    """One engine, from ``start`` to ``close``, after which it may be started again.

    Errors are ``BackendUnavailable``s with a code: ``llm_not_installed``, ``llm_model_missing``,
    ``llm_no_chat_template``, ``llm_out_of_memory``, ``llm_load_failed``, and ``llm_engine_died``,
    after which ``on_death`` is called: by default the agent ends, to be started again.
    """

    def __init__(self, options: VllmOptions, on_death: Callable[[str], None] = engine_died) -> None:
        self.options = options
        self._on_death = on_death
        self.model = short_name(options.model)
        self.model_family = ""
        self._engine: Any = None
        self._tokenizer: Any = None
        self._building: asyncio.Future[None] | None = None
        self._gauge = _Gauge()
        self._folder: TemporaryDirectory[str] | None = None
        self._log_file: Path | None = None
        self._closing = asyncio.Event()
        # One thread: tokenizers of this kind must not be entered twice.
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="vllm")

    async def start(self) -> None:
        """Load the model; takes from half a minute to some minutes.

        Raises:
            BackendUnavailable: see the class.
        """
        progress(f"loading {self.model}")
        self._closing.clear()
        loop = asyncio.get_running_loop()
        self._building = loop.run_in_executor(self._threads, self._build)
        await asyncio.shield(self._building)
        self._building = None
        self._engine._run_output_handler()  # built off the loop, it has none yet
        self._engine.output_handler.add_done_callback(self._ended)

    async def close(self) -> None:
        """End the engine's processes and free what they held; also one that is still loading."""
        self._closing.set()
        if self._building is not None:
            with suppress(BackendUnavailable):
                await _give_up(self._building)
            self._building = None
        engine, self._engine, self._tokenizer = self._engine, None, None
        if engine is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, engine.shutdown, SHUTDOWN_S)
            del engine
        gc.collect()  # it is full of cycles, and memory is what closing it is for
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def generate(
        self,
        request_id: str,
        prompt: str | Sequence[int],
        sampling: Sampling,
        priority: int = VOICE,
    ) -> AsyncGenerator[Piece, None]:
        """Go on with ``prompt``, step by step. Closing the generator ends the request at once.

        Args:
            request_id: unlike that of any request that is under way.
            prompt: text, or the tokens of it.
            sampling: how the text is drawn.
            priority: who is served first: the lower number.

        Raises:
            BackendUnavailable: the engine is not there or died.
            AgentError: ``llm_error``; it refuses the request, or failed at it.
        """
        engine = self._engine
        if engine is None:
            raise BackendUnavailable("vLLM is not loaded")
        left = True
        try:
            with self._coded():
                outputs = engine.generate(
                    _prompt(prompt), _params(sampling), request_id, priority=priority
                )
            async with aclosing(outputs):
                finished = False
                while not finished:
                    with self._coded():
                        output = await anext(outputs)
                    finished = output.finished
                    yield _piece(output.outputs[0])
            left = False
        except AgentError:
            left = False
            raise
        finally:
            if left:
                # Its own generator forgets a request that is left while it is being handed in.
                await engine.abort(request_id)
                log.info("vllm.aborted", request=request_id)

    async def chat_tokens(self, messages: chat.Chat, *, enable_thinking: bool) -> list[int]:
        """The tokens of a chat by the model's template, up to where the answer begins.

        ``enable_thinking`` is for templates that have such a switch; others ignore it.
        """
        tokenizer = self._tokenizer
        if tokenizer is None:
            raise BackendUnavailable("vLLM is not loaded")
        tokens: list[int] = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            lambda: chat.render(
                tokenizer, messages, enable_thinking=enable_thinking,
                tokenize=True, return_dict=False,
            ),
        )  # fmt: skip
        return tokens

    def running(self) -> Load:
        """What the engine's scheduler last said of itself; it says so after every step."""
        return self._gauge.load

    def facts(self) -> dict[str, str]:
        """What ``/health`` tells of the engine."""
        options = self.options
        return {
            "gpu_memory_utilization": str(options.gpu_memory_utilization),
            "max_model_len": str(options.max_model_len),
            "max_num_seqs": str(options.max_num_seqs),
            "max_num_batched_tokens": str(options.max_num_batched_tokens),
            "model_family": self.model_family,
        }

    def _build(self) -> None:
        """Blocking: everything from the import to a loaded model.

        The engine is no local variable and no result: import errors that libraries keep hold on to
        the frames below them, and it would never be freed.
        """
        weights = find_weights(self.options.model)
        # The path of a socket in it must stay below 104 characters, under a Mac's long directory too.
        self._folder = TemporaryDirectory(prefix="vllm-", ignore_cleanup_errors=True)
        with told(Path(self._folder.name)) as self._log_file:
            try:
                from transformers import AutoTokenizer
                from vllm import AsyncEngineArgs
                from vllm.v1.engine.async_llm import AsyncLLM
            except (ImportError, PackageNotFoundError) as error:
                raise not_installed(error) from error
            try:
                self._tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
                args = AsyncEngineArgs(**_arguments(self.options, weights))
                self._engine = AsyncLLM.from_engine_args(
                    args, stat_loggers=[lambda *_: self._gauge]
                )
            except Exception as error:
                # Its own classes and those of whatever it loads: all mean that it cannot be used.
                fault = fault_of(f"{type(error).__name__}: {error}", self._logged())
                if not self._closing.is_set():
                    log.error("vllm.load_failed", code=fault.code, reason=fault.reason)
                raise BackendUnavailable(
                    f"{self.model} cannot be loaded: {fault.reason}", fault.code
                ) from error
        self.model_family = str(self._engine.model_config.hf_config.model_type)

    def _logged(self) -> str:
        if self._log_file is None or not self._log_file.exists():
            return ""
        return self._log_file.read_text("utf-8", "replace")

    def _ended(self, _: "asyncio.Task[None]") -> None:
        """The task that reads the engine's output has ended: so has the engine."""
        if self._closing.is_set():
            return
        reason = fault_of("", self._logged()).reason
        log.error("vllm.died", model=self.model, reason=reason)
        self._on_death(f"vLLM with {self.model} died: {reason}")

    @contextmanager
    def _coded(self) -> Iterator[None]:
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            yield
        except EngineDeadError as error:
            raise BackendUnavailable(f"vLLM with {self.model} died", ENGINE_DIED) from error
        except AgentError:
            raise
        except Exception as error:
            # Unknown schemas, too long prompts, and what broke one request but not the engine.
            cause = error.__cause__ or error
            raise AgentError(f"{self.model}: {cause}", "llm_error") from error


class _Gauge:
    """Hears what the scheduler says after each step; has the methods of vLLM's stat loggers."""

    def __init__(self) -> None:
        self.load = Load()

    def record(self, scheduler_stats: Any, *_: Any, **__: Any) -> None:
        if scheduler_stats is None:
            return
        stats, before = scheduler_stats, self.load
        waiting = stats.num_waiting_reqs + getattr(stats, "num_skipped_waiting_reqs", 0)
        hits = before.prefix_hits + stats.prefix_cache_stats.hits
        self.load = Load(stats.num_running_reqs, waiting, hits)
        if before.busy and not self.load.busy:
            log.info("vllm.idle")

    def _nothing(self, *_: Any, **__: Any) -> None: ...

    log: Callable[..., None] = _nothing
    log_engine_initialized: Callable[..., None] = _nothing
    record_sleep_state: Callable[..., None] = _nothing


def _arguments(options: VllmOptions, weights: Path) -> dict[str, Any]:
    """Arguments of vLLM's engine."""
    from vllm.platforms import current_platform

    arguments: dict[str, Any] = {
        "model": str(weights),
        "dtype": options.dtype,
        "gpu_memory_utilization": options.gpu_memory_utilization,
        "max_model_len": options.max_model_len,
        "max_num_seqs": options.max_num_seqs,
        "max_num_batched_tokens": options.max_num_batched_tokens,
        "tensor_parallel_size": options.tensor_parallel_size,
        "enable_chunked_prefill": True,
        "enable_prefix_caching": True,
        "scheduling_policy": "priority",
        # A model that may put blanks between fields can fill its whole answer with them.
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
        # Compiled kernels are worth their minute on a GPU only.
        "enforce_eager": current_platform.is_cpu(),
    }
    if options.quantization:
        arguments["quantization"] = options.quantization
    if options.kv_cache_bytes:
        arguments["kv_cache_memory_bytes"] = options.kv_cache_bytes
    return arguments


def _prompt(prompt: str | Sequence[int]) -> Any:
    from vllm.inputs import TextPrompt, TokensPrompt

    if isinstance(prompt, str):
        return TextPrompt(prompt=prompt)
    return TokensPrompt(prompt_token_ids=list(prompt))


def _params(sampling: Sampling) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    held_to: dict[str, Any] = {}
    if sampling.guide is not None:
        held_to = {sampling.guide.kind: sampling.guide.text}
    elif sampling.json_schema is not None:
        held_to = {"json": sampling.json_schema}
    allowed = sampling.allowed_tokens
    return SamplingParams(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        repetition_penalty=sampling.repetition_penalty,
        stop_token_ids=list(sampling.stop_tokens),
        stop=list(sampling.stop) or None,
        allowed_token_ids=None if allowed is None else list(allowed),
        seed=sampling.seed,
        output_kind=RequestOutputKind.DELTA,
        structured_outputs=StructuredOutputsParams(**held_to) if held_to else None,
    )


def _piece(output: Any) -> Piece:
    return Piece(output.text, tuple(output.token_ids), output.finish_reason or "")


async def _give_up(building: "asyncio.Future[None]") -> None:
    """Wait for an engine that is being built, killing the processes it is built from."""
    while not building.done():
        for child in multiprocessing.active_children():
            if child.name.startswith("EngineCore"):
                child.kill()
        await asyncio.wait([building], timeout=SHUTDOWN_S)
    building.result()
