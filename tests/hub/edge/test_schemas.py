"""JSON schemas of clients."""

from typing import Any

import pytest

from hub.edge.schemas import BadSchema, SchemaCheck

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"$ref": "#/$defs/age"}},
    "required": ["name"],
    "$defs": {"age": {"type": "integer", "minimum": 0}},
}


def test_a_document_obeys_its_schema_or_does_not() -> None:
    check = SchemaCheck(PERSON)

    assert check.holds({"name": "Ada", "age": 36})
    assert not check.holds({"name": "Ada", "age": -1})
    assert not check.holds({"age": 36})
    assert not check.holds("Ada")


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "nonsense"}, "no JSON schema"),
        ({"$ref": "http://somewhere.example/schema"}, "leads out of the schema"),
        ({"$ref": "#/$defs/nobody"}, "leads nowhere"),
        ({"$ref": "#"}, "refers to itself"),
        ({"$dynamicRef": "#x"}, r"made by \$ref"),
        ({"type": "string", "pattern": "("}, "no JSON schema"),
        ({"$schema": "http://somewhere.example/draft"}, "no JSON schema"),
        ({"description": "x" * 70_000}, "65536 bytes"),
    ],
)
def test_what_is_no_schema_is_refused_in_a_sentence(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadSchema, match=reason):
        SchemaCheck(schema)


def test_a_schema_that_is_astronomic_when_written_out_is_refused() -> None:
    levels = 60
    definitions: dict[str, Any] = {f"d{levels}": {"type": "integer"}}
    for level in range(levels):
        deeper = {"$ref": f"#/$defs/d{level + 1}"}
        definitions[f"d{level}"] = {"allOf": [deeper, dict(deeper)]}

    with pytest.raises(BadSchema, match="references written out"):
        SchemaCheck({"$ref": "#/$defs/d0", "$defs": definitions})


def test_a_long_chain_of_references_is_refused_and_not_followed_for_ever() -> None:
    definitions: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(1_500)}
    definitions["d1500"] = {"type": "integer"}

    with pytest.raises(BadSchema):
        SchemaCheck({"$ref": "#/$defs/d0", "$defs": definitions})


def test_a_pattern_that_would_take_for_ever_does_not() -> None:
    check = SchemaCheck({"type": "string", "pattern": r"^(?=(a|a)*$)(a|a)*b\1$"})

    assert not check.holds("a" * 60)
