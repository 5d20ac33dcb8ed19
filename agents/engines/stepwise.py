"""A transformers model that writes one token per step, and can be left after each."""

import queue
import threading
from collections.abc import Generator
from itertools import count
from typing import Any

NEWEST = 8
"""Tokens kept undecided for the sake of spaces and characters of several tokens."""


class Writer:
    """One model, one text at a time.

    ``generate`` of the library calls back and cannot be left from outside; here it runs in a
    thread of its own and asks after each token whether its number is still the one that is read.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._numbers = count(1)
        self._read = 0
        """Number of the text that somebody reads."""
        self._alone = threading.Lock()

    def texts(
        self, inputs: Any, *, seed: int | None = None, **options: Any
    ) -> Generator[str, None, None]:
        """Blocking. What each new token adds to the text, possibly nothing, and at the end what is
        left of a character; waits for its turn. The same ``seed`` draws the same text again.

        Closing the generator ends the text at its next token, and waits for that. Raises what the
        library raises.
        """
        with self._alone:
            number = self._read = next(self._numbers)
            stream = _Stream()
            thread = threading.Thread(
                target=self._generate, args=(number, stream, inputs, seed, options), name="generate"
            )
            thread.start()
            try:
                yield from self._decoded(stream)
            finally:
                self._read = 0
                thread.join()

    def wait(self) -> None:
        """Blocking: return once no text is being written."""
        with self._alone:
            pass

    def _generate(
        self, number: int, stream: "_Stream", inputs: Any, seed: int | None, options: Any
    ) -> None:
        import torch
        from transformers import StoppingCriteriaList

        def is_left(tokens: Any, *_: Any, **__: Any) -> Any:
            return torch.full((len(tokens),), self._read != number, device=tokens.device)

        if seed is not None:
            torch.manual_seed(seed)
        criteria = StoppingCriteriaList([is_left])
        try:
            self._model.generate(**inputs, **options, streamer=stream, stopping_criteria=criteria)
        except Exception as error:
            stream.fail(error)
        stream.end()

    def _decoded(self, stream: "_Stream") -> Generator[str, None, None]:
        detokenizer = Detokenizer(self._tokenizer)
        for token in stream.tokens():
            yield detokenizer.feed(token)
        yield detokenizer.finish()


class Detokenizer:
    """Turns tokens into the text that each adds, whole characters only."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._given = ""

    def feed(self, token: int) -> str:
        """What is certain now and was not before."""
        self._tokens.append(token)
        text = self._text()
        # A character whose bytes are not all there yet decodes to a replacement.
        return "" if text.endswith("\N{REPLACEMENT CHARACTER}") else self._give(text)

    def finish(self) -> str:
        """The rest, replacements and all."""
        return self._give(self._text())

    def _text(self) -> str:
        text: str = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        return text

    def _give(self, text: str) -> str:
        new = text[len(self._given) :]
        if len(self._tokens) > NEWEST:
            # What a token looks like depends on its neighbours before it, of which a few will do.
            self._tokens = self._tokens[-NEWEST:]
            text = self._text()
        self._given = text
        return new


class _Stream:
    """A streamer of the library: gets the prompt once, then every token."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[int | Exception | None] = queue.SimpleQueue()
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for token in value.reshape(-1).tolist():
            self._items.put(token)

    def end(self) -> None:
        self._items.put(None)

    def fail(self, error: Exception) -> None:
        self._items.put(error)

    def tokens(self) -> Generator[int, None, None]:
        """Blocking: each token as it comes, until the end."""
        while (item := self._items.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
