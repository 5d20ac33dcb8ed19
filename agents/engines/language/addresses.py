"""Addresses of OpenAI-compatible servers as settings name them: one or several, between commas."""

import re
from typing import NamedTuple

_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[^\s,#]*)?(#[^\s,#]+)?")


class Address(NamedTuple):
    """Where a server is, which model it is asked for (empty: its first), and the key for it."""

    base_url: str
    model: str
    api_key: str


def addresses(base_urls: str, keys: str, model: str) -> list[Address]:
    """Every server that ``base_urls`` names, in order. ``http://host/v1#name`` asks that server for
    its own model, the others for ``model``; one key is for all, else each has its own."""
    places = [part.strip() for part in base_urls.split(",") if part.strip()]
    each = [key.strip() for key in keys.split(",")]
    if len(each) == 1:
        each *= len(places)
    split = (place.partition("#") for place in places)
    return [
        Address(place, own_model or model, key)
        for (place, _, own_model), key in zip(split, each, strict=True)
    ]


def check_addresses(base_urls: str) -> str:
    """``base_urls``, or ``ValueError``: a part of it is no address."""
    for part in filter(str.strip, base_urls.split(",")):
        if not _ADDRESS.fullmatch(part.strip()):
            raise ValueError(f"{part.strip()!r} is no http address")
    return base_urls


def check_keys(base_urls: str, keys: str) -> None:
    """Raise ``ValueError`` if there are neither one key nor as many as addresses."""
    places = sum(1 for part in base_urls.split(",") if part.strip())
    given = keys.count(",") + 1
    if given not in (1, places):
        raise ValueError(f"OPENAI_API_KEY holds {given} keys for {places} addresses")
