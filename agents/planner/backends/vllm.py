"""A language model on vLLM, in this process's service: ``VLLM_`` settings, no server between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count
from typing import Any, NamedTuple

from agents.engines.vllm import BACKGROUND, VOICE, Load, Sampling, VllmEngine, VllmOptions
from agents.planner.backends.base import ChatMessage, Prompt
from agents.planner.settings import PlannerSettings
from agents.runtime.errors import AgentError, BackendTimeout


class VllmDefaults(NamedTuple):
    """What holds for a text unless its prompt says otherwise."""

    temperature: float = 0.7
    max_output_tokens: int = 512
    timeout_s: float = 20.0
    """How long one text may take in all."""
    enable_thinking: bool = False


class VllmModel:
    """Streams texts of a chat model; closing one ends its request in the engine at once."""

    name = "vllm"

    def __init__(self, engine: VllmEngine, defaults: VllmDefaults | None = None) -> None:
        self._engine = engine
        self._defaults = defaults or VllmDefaults()
        self._numbers = count(1)
        self._active = 0
        self.capacity = engine.options.max_num_seqs
        self.model = engine.model
        self.where = "vLLM"

    @classmethod
    def from_settings(cls, settings: PlannerSettings) -> "VllmModel":
        """The model that the ``VLLM_`` settings name."""
        options = VllmOptions(
            model=settings.vllm_model_name,
            dtype=settings.vllm_dtype,
            quantization=settings.vllm_quantization,
            gpu_memory_utilization=settings.vllm_gpu_memory_utilization,
            max_model_len=settings.vllm_max_model_len,
            max_num_seqs=settings.vllm_max_num_seqs,
            max_num_batched_tokens=settings.vllm_max_num_batched_tokens,
        )
        defaults = VllmDefaults(
            temperature=settings.vllm_temperature,
            max_output_tokens=settings.vllm_max_output_tokens,
            timeout_s=settings.vllm_timeout_s,
            enable_thinking=settings.vllm_enable_thinking,
        )
        return cls(VllmEngine(options), defaults)

    async def start(self) -> None:
        """Load the model.

        Raises:
            BackendUnavailable: with the codes of ``VllmEngine``.
        """
        await self._engine.start()

    async def close(self) -> None:
        """End the engine and free its memory."""
        await self._engine.close()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._defaults.timeout_s
        self._active += 1
        try:
            async with aclosing(self._written(prompt)) as pieces:
                while True:
                    try:
                        async with asyncio.timeout_at(deadline):
                            piece = await anext(pieces, None)
                    except TimeoutError as error:
                        raise BackendTimeout(f"{self.model} took too long") from error
                    if piece is None:
                        return
                    yield piece
        finally:
            self._active -= 1

    def running(self) -> Load:
        """What the engine has in its own books."""
        return self._engine.running()

    def facts(self) -> dict[str, str]:
        """What ``/health`` tells of the model."""
        thinking = self._defaults.enable_thinking
        return {
            **self._engine.facts(),
            "max_inflight": str(self.capacity),
            "active_generations": str(self._active),
            "json_mode": "unguided" if thinking else "structured_outputs",
            "enable_thinking": str(thinking).lower(),
        }

    async def _written(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        defaults = self._defaults
        tokens = await self._engine.chat_tokens(
            [_message(message) for message in prompt.messages],
            enable_thinking=defaults.enable_thinking,
        )
        sampling = Sampling(
            max_tokens=prompt.max_tokens or defaults.max_output_tokens,
            temperature=(
                defaults.temperature if prompt.temperature is None else prompt.temperature
            ),
            # A schema holds from the first token on and would leave no room for thoughts.
            json_schema=(
                prompt.schema.schema if prompt.schema and not defaults.enable_thinking else None
            ),
        )
        request_id = f"{prompt.schema.name if prompt.schema else 'text'}-{next(self._numbers)}"
        priority = BACKGROUND if prompt.is_plan else VOICE
        written = self._engine.generate(request_id, tokens, sampling, priority)
        async with aclosing(written) as pieces:
            async for piece in pieces:
                if piece.text:
                    yield piece.text


def _message(message: ChatMessage) -> dict[str, Any]:
    if message.pictures:
        raise AgentError("this build gives vLLM no pictures", "llm_no_pictures")
    return {"role": message.role, "content": message.text}
