"""A language model on vLLM, in this process's service: ``VLLM_`` settings, no server between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count
from typing import Any, NamedTuple

from agents.engines.language.base import BAD_GUIDE, ChatMessage, Ending, Prompt, refuse_guide
from agents.engines.vllm import BACKGROUND, VOICE, Load, Piece, Sampling, VllmEngine
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
        deadline = loop.time() + (prompt.timeout_s or self._defaults.timeout_s)
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
            "template_config.family": self._engine.model_family,
            "generation_defaults.temperature": str(self._defaults.temperature),
            "generation_defaults.max_output_tokens": str(self._defaults.max_output_tokens),
            "generation_defaults.timeout_s": str(self._defaults.timeout_s),
            "generation_defaults.enable_thinking": str(thinking).lower(),
        }

    async def _written(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        defaults = self._defaults
        if defaults.enable_thinking:
            refuse_guide(prompt, f"{self.model}, which thinks aloud,")
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
            top_p=1.0 if prompt.top_p is None else prompt.top_p,
            stop=prompt.stop,
            seed=prompt.seed,
            guide=prompt.guide,
        )
        request_id = f"{prompt.schema.name if prompt.schema else 'text'}-{next(self._numbers)}"
        priority = BACKGROUND if prompt.is_plan else VOICE
        written = self._engine.generate(request_id, tokens, sampling, priority)
        count, finish_reason = 0, "stop"
        async with aclosing(_guided(written, prompt)) as pieces:
            async for piece in pieces:
                count += len(piece.tokens)
                finish_reason = piece.finish_reason or finish_reason
                if piece.text:
                    yield piece.text
        prompt.ended(Ending(finish_reason, len(tokens), count))


async def _guided(
    written: AsyncGenerator[Piece, None], prompt: Prompt
) -> AsyncGenerator[Piece, None]:
    """``written``; a request that its engine refuses for its guide says so."""
    begun = False
    async with aclosing(written):
        try:
            async for piece in written:
                begun = True
                yield piece
        except AgentError as error:
            if prompt.guide is None or begun or error.code != "llm_error":
                raise
            raise AgentError(
                f"the {prompt.guide.kind} cannot be used: {error}", BAD_GUIDE
            ) from error


def _message(message: ChatMessage) -> dict[str, Any]:
    if message.pictures:
        raise AgentError("this build gives vLLM no pictures", "llm_no_pictures")
    return {"role": message.role, "content": message.text}
