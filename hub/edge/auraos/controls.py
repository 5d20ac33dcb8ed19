"""Which control of a screen a sentence names, for eyes that can read and cannot understand. Pure."""

import re

MAX_NAME_CHARS = 80
_READ_CHARS = 2_000
"""So much of a long prompt is read."""

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}
_QUOTED = re.compile(
    r"(?<!\w)(?:"
    + "|".join(f"{re.escape(a)}([^{re.escape(b)}]+){re.escape(b)}" for a, b in _QUOTES.items())
    + r")(?!\w)"
)
_VERB = (
    r"(?:double[- ]?click|right[- ]?click|click|press|push|tap|hit|select|choose|open|find|locate)"
)
_KIND = (
    r"(?:button|link|icon|menu(?: item| entry)?|tab|checkbox|check box|field|text box|input"
    r"|option|entry|label|toggle|switch|item|window|folder|file)"
)
_ORDER = re.compile(
    rf"\b{_VERB}\b(?:\s+(?:on|at|in|into))?(?:\s+(?:the|a|an))?\s+(?P<rest>[^.!?\n]+)",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\bwhere(?:'s|’s|\s+is|\s+are)(?:\s+(?:the|a|an))?\s+(?P<rest>[^.!?\n]+)", re.IGNORECASE
)
_CALLED = re.compile(
    rf"^{_KIND}\s+(?:labell?ed|called|named|that says|saying|with the text|marked)\s+(?P<name>.+)$",
    re.IGNORECASE,
)
_SMALL = r"(?:to|in|on|at|of|so|which|that|for|please|from|with)"
_BEFORE_KIND = re.compile(rf"^(?P<name>.+?)\s+{_KIND}(?=\s*$|\s+{_SMALL}\b)", re.IGNORECASE)
_NEXT_ORDER = re.compile(r"(?:[,;]|\s+(?:and|then)\b).*$", re.IGNORECASE)
_BEYOND = re.compile(rf"\s+{_SMALL}\b.*$", re.IGNORECASE)
_VAGUE = frozenset(
    {"it", "this", "that", "there", "here", "something", "anything", "them", "one", "button"}
)


def control_named(sentence: str) -> str | None:
    """The name of the control that ``sentence`` asks for: ``Save`` in "click the Save button", in
    "where is “Save”?" and in "press Save, then wait". None if it asks for something else."""
    sentence = " ".join(sentence[:_READ_CHARS].split())
    asked = _ORDER.search(sentence) or _PLACE.search(sentence)
    if asked is None:
        return None
    rest = _NEXT_ORDER.sub("", asked["rest"]).strip()
    quoted = _QUOTED.search(sentence, asked.start("rest"))
    if quoted is not None:
        return _checked(next(group for group in quoted.groups() if group))
    if (called := _CALLED.match(rest)) is not None:
        return _checked(_BEYOND.sub("", called["name"]))
    if (before := _BEFORE_KIND.match(rest)) is not None:
        return _checked(before["name"])
    return _checked(_BEYOND.sub("", rest))


def _checked(name: str) -> str | None:
    name = name.strip(" \t\"'“”‘’«»`,;:")
    if not name or len(name) > MAX_NAME_CHARS or name.lower() in _VAGUE:
        return None
    return name
