"""Text from tokens that come one by one."""

import pytest

from agents.engines.stepwise import Detokenizer


class Bytes:
    """A tokenizer whose tokens are bytes, and one that is not to be seen."""

    HIDDEN = 256

    def decode(self, tokens: list[int], *, skip_special_tokens: bool) -> str:
        return bytes(t for t in tokens if t != self.HIDDEN).decode(errors="replace")


@pytest.mark.parametrize("text", ["hello", "Grüße, 你好 🤖!", "a" * 100, ""])
def test_pieces_are_whole_characters_and_together_the_text(text: str) -> None:
    detokenizer = Detokenizer(Bytes())
    pieces = [detokenizer.feed(byte) for byte in text.encode()] + [detokenizer.finish()]
    assert "".join(pieces) == text
    assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in pieces)


def test_what_is_no_text_is_given_at_the_end() -> None:
    detokenizer = Detokenizer(Bytes())
    assert detokenizer.feed(0xF0) == ""
    assert detokenizer.finish() == "\N{REPLACEMENT CHARACTER}"


def test_tokens_that_are_not_to_be_seen_are_not() -> None:
    detokenizer = Detokenizer(Bytes())
    assert [detokenizer.feed(token) for token in (Bytes.HIDDEN, 65, Bytes.HIDDEN)] == ["", "A", ""]
