"""Texts that end at a word, for engines that cannot end there themselves."""

from collections.abc import Generator

import pytest

from agents.engines.language.stops import until


class Writer:
    """Writes pieces, and knows whether it was left."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self.written = 0
        self.left = False

    def texts(self) -> Generator[str, None, None]:
        try:
            for piece in self._pieces:
                self.written += 1
                yield piece
        finally:
            self.left = True


@pytest.mark.parametrize(
    ("pieces", "stop", "text"),
    [
        (("one ", "two ", "three"), (), "one two three"),
        (("one ", "two ", "three"), ("two",), "one "),
        (("one t", "w", "o three"), ("two",), "one "),
        (("one t", "w", "ist"), ("two",), "one twist"),
        (("a b", " c"), ("c", "b"), "a "),
        (("ends with tw",), ("two",), "ends with tw"),
        (("ababac",), ("abac",), "ab"),
        (("text",), ("",), "text"),
    ],
)
def test_the_text_ends_before_the_first_stop(
    pieces: tuple[str, ...], stop: tuple[str, ...], text: str
) -> None:
    assert "".join(until(Writer(*pieces).texts(), stop)) == text


def test_whoever_writes_is_left_where_the_text_ends() -> None:
    writer = Writer("one ", "STOP", "never")
    assert "".join(until(writer.texts(), ("STOP",))) == "one "
    assert (writer.written, writer.left) == (2, True)


def test_nothing_is_held_back_longer_than_it_must() -> None:
    texts = until(Writer("a<", "b<e", "nd>").texts(), ("<end>",))
    assert [next(texts), next(texts)] == ["a", "<b"]
