"""Stand-ins for the two models of Orpheus, and the smallest folder that its tokenizer is read from."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import NamedTuple

from agents.engines.vllm import Piece, Sampling
from agents.runtime.errors import AgentError
from agents.tts.orpheus_codes import (
    CODES,
    END_OF_SPEECH,
    FIRST_CODE,
    FRAME_SAMPLES,
    FRAME_TOKENS,
    Stretch,
)


class Request(NamedTuple):
    """What the engine was asked for."""

    name: str
    prompt: list[int]
    sampling: Sampling


class Behaviour(NamedTuple):
    """How one request is answered: ``frames`` frames and the end, a frame each ``pause_s``, unless
    it fails or hangs after ``breaks_after`` tokens."""

    frames: int = 10
    pause_s: float = 0.0
    breaks_after: int | None = None
    error: AgentError | None = None
    noise: tuple[int, ...] = ()
    ends: bool = True


class ScriptedTokens:
    """A language model of speech. Frames are numbered through: their first code is the number.
    Each request takes the next behaviour, the last one for ever."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = deque(behaviours or (Behaviour(),))
        self.requests: list[Request] = []
        self.left = 0
        self.closed = False

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed = True

    async def generate(
        self, request_id: str, prompt: str | Sequence[int], sampling: Sampling, priority: int
    ) -> AsyncGenerator[Piece, None]:
        assert not isinstance(prompt, str)
        self.requests.append(Request(request_id, list(prompt), sampling))
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        made = sum(token >= FIRST_CODE for token in prompt)
        tokens = [*how.noise]
        for number in range(how.frames):
            tokens += [FIRST_CODE + CODES * at + number for at in range(FRAME_TOKENS)]
        tokens = [*tokens[made:], *([END_OF_SPEECH] if how.ends else [])][: sampling.max_tokens]
        last = False
        try:
            for at in range(0, len(tokens), FRAME_TOKENS):
                if how.breaks_after is not None and made + at >= how.breaks_after:
                    if how.error is not None:
                        raise how.error
                    await asyncio.Event().wait()
                await asyncio.sleep(how.pause_s)
                last = at + FRAME_TOKENS >= len(tokens)
                reason = ("stop" if how.ends else "length") if last else ""
                yield Piece("", tuple(tokens[at : at + FRAME_TOKENS]), reason)
        except GeneratorExit:
            self.left += not last
            raise


class NumberedCodec:
    """Every sample of a frame is the frame's first code."""

    device = "cpu"

    def __init__(self) -> None:
        self.error: RuntimeError | None = None

    def load(self) -> None: ...

    def close(self) -> None: ...

    def decode(self, stretch: Stretch) -> bytes:
        if self.error is not None:
            raise self.error
        new = stretch.frames[stretch.first : stretch.first + stretch.new]
        return b"".join(frame[0].to_bytes(2, "little") * FRAME_SAMPLES for frame in new)


def model_folder(folder: Path) -> str:
    """A model's folder with a tokenizer that cuts at every byte, and weights that nobody reads."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {char: at for at, char in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (folder / "model.safetensors").touch()
    return str(folder)
