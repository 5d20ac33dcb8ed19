"""JSON schemas of clients: whether they are any, and whether a document obeys one.

A few references to definitions that refer to others twice are a schema of astronomic size, and one
that refers to itself has no size at all. What is taken is bounded as if it were written out.
"""

import json
from typing import Any
from urllib.parse import unquote

import msgspec

from hub.errors import BadRequest

MAX_SCHEMA_BYTES = 64 * 1024
MAX_NODES = 20_000
"""Objects and lists of a schema whose references are written out."""
_OTHER_REFERENCES = frozenset({"$dynamicRef", "$recursiveRef"})
_BACKTRACKS = 100_000
"""Steps that a pattern of a client may cost for one text."""


class BadSchema(BadRequest):
    """It is no JSON schema."""

    code = "bad_schema"


class SchemaCheck:
    """Blocking. A schema that has been read; references to anywhere outside of it are errors.

    Raises:
        BadSchema: it cannot be read, or is larger than any that engines take.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        if len(json.dumps(schema)) > MAX_SCHEMA_BYTES:
            raise BadSchema(f"a schema may have {MAX_SCHEMA_BYTES} bytes")
        _check_numbers(schema)
        _check_size(schema)
        import jsonschema_rs

        try:
            self._validator = jsonschema_rs.validator_for(
                schema,
                offline=True,
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS),
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise BadSchema(f"this is no JSON schema: {_first_line(error)}") from None

    def holds(self, document: Any) -> bool:
        """Whether ``document`` obeys it; what cannot be decided in its bounds does not."""
        import jsonschema_rs

        try:
            return bool(self._validator.is_valid(document))
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            return False


def _check_numbers(schema: dict[str, Any]) -> None:
    """An engine is told of it in msgpack, whose integers have 64 bits."""
    try:
        msgspec.msgpack.encode(schema)
    except OverflowError:
        raise BadSchema("an integer of this schema has more than 64 bits") from None


def _check_size(schema: dict[str, Any]) -> None:
    try:
        nodes = _Sizes(schema).of(schema)
    except RecursionError:
        raise BadSchema("the references of this schema lead too far") from None
    if nodes > MAX_NODES:
        raise BadSchema(f"a schema may have {MAX_NODES} parts, references written out")


class _Sizes:
    """How many objects and lists a schema has, with those that it refers to each time it does."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def of(self, node: Any) -> int:
        if not isinstance(node, dict | list):
            return 0
        if id(node) in self._open:
            raise BadSchema("a schema that refers to itself is not taken")
        if id(node) not in self._known:
            self._open.add(id(node))
            parts = node.values() if isinstance(node, dict) else node
            size = 1 + sum(self.of(part) for part in parts)
            if isinstance(node, dict):
                size += self._referred(node)
            self._open.remove(id(node))
            self._known[id(node)] = size
        return self._known[id(node)]

    def _referred(self, node: dict[str, Any]) -> int:
        if not _OTHER_REFERENCES.isdisjoint(node):
            raise BadSchema("references are made by $ref")
        target = node.get("$ref")
        return self.of(self._at(target)) if isinstance(target, str) else 0

    def _at(self, pointer: str) -> Any:
        """What a JSON pointer (RFC 6901) into the schema means."""
        if pointer != "#" and not pointer.startswith("#/"):
            raise BadSchema(f"the reference {pointer[:100]!r} leads out of the schema")
        node: Any = self._schema
        for part in pointer.split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(name)] if isinstance(node, list) else node[name]
            except (LookupError, TypeError, ValueError):
                raise BadSchema(f"the reference {pointer[:100]!r} leads nowhere") from None
        return node


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:300]
