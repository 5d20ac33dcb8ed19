"""A language model, or one that sees as well, by the transformers library in this process."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from agents.engines import chat
from agents.engines.faults import OUT_OF_MEMORY, fault_of
from agents.engines.language.base import (
    BAD_GUIDE,
    ChatMessage,
    Ending,
    Prompt,
    refuse_guide,
)
from agents.engines.language.stops import until
from agents.engines.pictures import decode
from agents.engines.stepwise import Writer
from agents.engines.torch_device import choose_device
from agents.engines.weights import find_weights, short_name
from agents.runtime.blocking import iterate
from agents.runtime.errors import AgentError, BackendTimeout, BackendUnavailable
from agents.runtime.progress import progress

MAX_OUTPUT_TOKENS = 512

log = structlog.get_logger(__name__)


class TransformersOptions(NamedTuple):
    """What is loaded, where, and what holds for a text unless its prompt says otherwise."""

    model: str
    device: str = "auto"
    load_in_8bit: bool = False
    """Half the memory, and slower; on a GPU only."""
    temperature: float = 0.7
    timeout_s: float = 20.0
    """How long one text may take in all, its wait for its turn included."""


class _Loaded(NamedTuple):
    """``processor`` is a tokenizer, or where there are eyes, what prepares pictures as well.
    ``grammars`` compiles schemas, None where that library is not installed."""

    model: Any
    processor: Any
    tokenizer: Any
    sees: bool
    device: str
    writer: Writer
    grammars: Any | None


class _Counted:
    """Counts ``texts``; ``complete`` if whoever reads them has read all."""

    def __init__(self, texts: Generator[str, None, None]) -> None:
        self._texts = texts
        self.count = 0
        self.complete = False

    def texts(self) -> Generator[str, None, None]:
        """The texts that are counted."""
        with closing(self._texts):
            for text in self._texts:
                self.count += 1
                yield text
        self.complete = True


class TransformersModel:
    """Writes one text at a time, token by token; further ones wait. Nothing that comes with the
    weights is executed, and nothing is fetched."""

    name = "transformers"
    capacity = 1

    def __init__(self, options: TransformersOptions) -> None:
        self._options = options
        self._loaded: _Loaded | None = None
        self._loading: asyncio.Future[_Loaded] | None = None
        self.model = short_name(options.model)

    @property
    def where(self) -> str:
        """See ``LanguageModel``."""
        return f"transformers on {self._loaded.device if self._loaded else self._options.device}"

    async def start(self) -> None:
        """Load the model.

        Raises:
            BackendUnavailable: ``llm_not_installed``, ``llm_model_missing``, ``llm_no_gpu``,
                ``llm_no_chat_template``, ``llm_out_of_memory`` or ``llm_load_failed``.
        """
        progress(f"loading {self.model}")
        loop = asyncio.get_running_loop()
        self._loading = loop.run_in_executor(None, _load, self._options)
        self._loaded = await asyncio.shield(self._loading)
        self._loading = None
        log.info("transformers.loaded", model=self.model, **self.facts())

    async def close(self) -> None:
        """Free the model's memory, once the text that is being written has stopped."""
        if self._loading is not None:
            with suppress(BackendUnavailable):
                self._loaded = await self._loading
            self._loading = None
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            await asyncio.to_thread(loaded.writer.wait)
            del loaded
            _free()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        loaded = self._loaded
        if loaded is None:
            raise BackendUnavailable(f"{self.model} is not loaded")
        allowed_s = prompt.timeout_s or self._options.timeout_s
        deadline = asyncio.get_running_loop().time() + allowed_s
        endings: list[Ending] = []
        steps = partial(self._texts, loaded, prompt, endings.append)
        async with aclosing(iterate(steps)) as pieces:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(pieces, None)
                except TimeoutError as error:
                    raise BackendTimeout(f"{self.model} took too long") from error
                if piece is None:
                    break
                if piece:
                    yield piece
        for ending in endings:
            prompt.ended(ending)

    def facts(self) -> dict[str, str]:
        """What ``/health`` tells of the model."""
        loaded = self._loaded
        if loaded is None:
            return {}
        return {
            "device": loaded.device,
            "dtype": str(loaded.model.dtype).removeprefix("torch."),
            "load_in_8bit": str(self._options.load_in_8bit).lower(),
            "sees": str(loaded.sees).lower(),
            "json_mode": "unguided" if loaded.grammars is None else "structured_outputs",
            "model_family": str(loaded.model.config.model_type),
        }

    def _texts(
        self, loaded: _Loaded, prompt: Prompt, ended: Callable[[Ending], None]
    ) -> Generator[str, None, None]:
        """Blocking: what each token adds to the text."""
        with self._coded():
            inputs = _inputs(loaded, prompt, self.model)
            options = self._sampling(prompt)
            if loaded.grammars is None:
                refuse_guide(prompt, f"{self.model} without xgrammar")
            elif prompt.schema is not None or prompt.guide is not None:
                options["logits_processor"] = [_obeying(loaded.grammars, prompt)]
            seen, limit = int(inputs["input_ids"].shape[-1]), options["max_new_tokens"]
            counted = _Counted(loaded.writer.texts(inputs, seed=prompt.seed, **options))
            yield from until(counted.texts(), prompt.stop)
            # The last text is the rest of a character, and no token.
            is_cut = counted.complete and counted.count > limit
            ended(Ending("length" if is_cut else "stop", seen, min(counted.count, limit)))

    def _sampling(self, prompt: Prompt) -> dict[str, Any]:
        temperature = prompt.temperature
        if temperature is None:
            temperature = self._options.temperature
        drawn: dict[str, Any] = {"do_sample": False}
        if temperature:
            drawn = {"do_sample": True, "temperature": temperature}
            if prompt.top_p is not None:
                drawn["top_p"] = prompt.top_p
        return {"max_new_tokens": prompt.max_tokens or MAX_OUTPUT_TOKENS, **drawn}

    @contextmanager
    def _coded(self) -> Iterator[None]:
        try:
            yield
        except AgentError:
            raise
        except Exception as error:
            fault = fault_of(f"{type(error).__name__}: {error}")
            code = fault.code if fault.code == OUT_OF_MEMORY else "llm_error"
            raise AgentError(f"{self.model}: {fault.reason}", code) from error


def _load(options: TransformersOptions) -> _Loaded:
    """Blocking: from the imports to weights on their device."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise BackendUnavailable(
            f"transformers is not installed; install robot-hub[llm] ({error})", "llm_not_installed"
        ) from error
    transformers.utils.logging.disable_progress_bar()
    weights = find_weights(options.model)
    device = choose_device(options.device, torch)
    if options.load_in_8bit and device != "cuda":
        raise BackendUnavailable("8-bit weights need a GPU", "llm_no_gpu")
    try:
        return _loaded(transformers, weights, device, options)
    except BackendUnavailable:
        raise
    except ImportError as error:  # accelerate, bitsandbytes or torchvision, as the model needs them
        raise BackendUnavailable(
            f"{options.model} needs a library that is not installed: {error}", "llm_not_installed"
        ) from error
    except Exception as error:
        fault = fault_of(f"{type(error).__name__}: {error}")
        raise BackendUnavailable(
            f"{short_name(options.model)} cannot be loaded: {fault.reason}", fault.code
        ) from error


def _loaded(lib: Any, weights: Path, device: str, options: TransformersOptions) -> _Loaded:
    here = {"local_files_only": True}
    config = lib.AutoConfig.from_pretrained(weights, **here)
    sees = type(config) in lib.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    model_class = lib.AutoModelForImageTextToText if sees else lib.AutoModelForCausalLM
    preparing = lib.AutoProcessor if sees else lib.AutoTokenizer
    processor = preparing.from_pretrained(weights, **here)
    tokenizer = processor.tokenizer if sees else processor
    chat.check_template(processor, options.model)
    wanted: dict[str, Any] = {"dtype": "auto"}
    if options.load_in_8bit:
        wanted["quantization_config"] = lib.BitsAndBytesConfig(load_in_8bit=True)
    if device != "cpu":
        wanted["device_map"] = {"": device}  # straight there, without a copy in memory
    model = model_class.from_pretrained(weights, **here, **wanted).eval()
    return _Loaded(
        model, processor, tokenizer, sees, device, Writer(model, tokenizer),
        _grammars(tokenizer, model.config),
    )  # fmt: skip


def _grammars(tokenizer: Any, config: Any) -> Any | None:
    """A compiler of JSON schemas for this vocabulary, if xgrammar is installed and knows it."""
    try:
        import xgrammar
    except ImportError:
        return None
    size = config.get_text_config().vocab_size
    try:
        vocabulary = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=size)
    except (ValueError, RuntimeError) as error:
        log.warning("transformers.unguided", reason=str(error))
        return None
    return xgrammar.GrammarCompiler(vocabulary)


def _obeying(grammars: Any, prompt: Prompt) -> Callable[..., Any]:
    """What forbids every token that would leave the schema or the guide of ``prompt``."""
    from xgrammar.contrib.hf import LogitsProcessor

    processor: Callable[..., Any] = LogitsProcessor(_compiled(grammars, prompt))
    return processor


def _compiled(grammars: Any, prompt: Prompt) -> Any:
    if prompt.guide is None:
        assert prompt.schema is not None
        return grammars.compile_json_schema(prompt.schema.schema, any_whitespace=False)
    kind, text = prompt.guide.kind, prompt.guide.text
    compile_guide = grammars.compile_regex if kind == "regex" else grammars.compile_grammar
    try:
        return compile_guide(text)
    except Exception as error:  # RuntimeError and ValueError, and classes of its own
        reason = str(error).strip().splitlines()[-1:]
        raise AgentError(f"the {kind} cannot be read: {' '.join(reason)}", BAD_GUIDE) from error


def _inputs(loaded: _Loaded, prompt: Prompt, name: str) -> Any:
    """The prompt as tensors on the model's device."""
    if not loaded.sees and any(message.pictures for message in prompt.messages):
        raise AgentError(f"{name} sees no pictures", "llm_no_pictures")
    messages = [_message(message, loaded.sees) for message in prompt.messages]
    inputs = chat.render(
        loaded.processor, messages, tokenize=True, return_dict=True, return_tensors="pt"
    )
    return inputs.to(loaded.device)


def _message(message: ChatMessage, sees: bool) -> dict[str, Any]:
    if not sees:
        return {"role": message.role, "content": message.text}
    pictures = [{"type": "image", "image": decode(one.data)} for one in message.pictures]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.text}]}


def _free() -> None:
    gc.collect()
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
