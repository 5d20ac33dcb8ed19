"""Hypothesis strategies for everything that is spoken."""

import string
import types
import typing
from enum import Enum
from typing import Any

import msgspec
from hypothesis import strategies as st

from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.topics import CATALOG

robots = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64)
_counts = st.integers(0, 2**63 - 1)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated field."""
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            return st.sampled_from(list(kind))
        if issubclass(kind, msgspec.Struct):
            return structs(kind)
        if kind is not dict and kind in _PLAIN:
            return _PLAIN[kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, args))
    if origin is dict:
        return st.dictionaries(values(args[0]), values(args[1]), max_size=3)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(values, args))
    if kind is Any:
        return _json
    raise NotImplementedError(f"no strategy for {kind}")


_PLAIN: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=20),
    bytes: st.binary(max_size=20),
    type(None): st.none(),
}


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Instances of a message or of a part of one."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: values(hints[name]) for name in kind.__struct_fields__})


def messages() -> st.SearchStrategy[Message]:
    """Any message of the catalog."""
    kinds = sorted(CATALOG)
    return st.sampled_from(kinds).flatmap(lambda name: structs(CATALOG[name].message))


def envelopes() -> st.SearchStrategy[AnyEnvelope]:
    """Any message in flight."""
    numbers = ("id", "cause", "epoch", "turn", "job", "seq", "ttl_ms", "boot", "order")
    return st.builds(
        Envelope,
        robot=robots | st.just(""),
        session=st.text(max_size=12),
        src=st.text(max_size=12),
        t_src_ns=_counts,
        t_hub_ns=_counts,
        body=messages(),
        **dict.fromkeys(numbers, _counts),
    )
