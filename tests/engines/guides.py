"""Forms that texts can be held to, by those engines that can, and what matches them."""

import re

from protocols.messages.chat import Guide

PHONE = Guide(kind="regex", text=r"\d{3}-\d{4}")
LISTS = Guide(kind="grammar", text='root ::= "(" ("a" | "b" root) ")"')
"""Nested brackets, which no regular expression knows."""
BROKEN = (
    Guide(kind="regex", text="(unclosed"),
    Guide(kind="grammar", text="root ::= nothing that is defined"),
)


def is_phone(text: str) -> bool:
    """Whether ``PHONE`` admits it."""
    return re.fullmatch(PHONE.text, text) is not None


def is_list(text: str) -> bool:
    """Whether ``LISTS`` admits it."""
    while (inner := re.fullmatch(r"\(b(.*)\)", text)) is not None:
        text = inner[1]
    return text == "(a)"
