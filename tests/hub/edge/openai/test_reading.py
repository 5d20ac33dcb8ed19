"""What a model writes, read while it is written."""

import json

import pytest

from hub.edge.openai.chat_bodies import Function
from hub.edge.openai.reading import End, JsonReader, PlainReader, Reader, ToolReader
from hub.edge.openai.tools import Choice
from hub.errors import JobError

GO = Choice((Function(name="go"),))
MUST = GO._replace(must=True)


def read(reader: Reader, *pieces: str, cut: bool = False) -> tuple[str, End]:
    told = "".join([reader.feed(piece) for piece in pieces])
    return told, reader.finish(cut)


def test_words_are_told_as_they_come() -> None:
    assert read(PlainReader(), "a", " b") == ("a b", End())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    "written", ['{"a": 1}', '\n {"a": 1}\n', '```json\n{"a": 1}\n```', '```\n{"a": 1}```  \n']
)
def test_json_comes_out_of_its_fence_however_it_is_cut_up(written: str, size: int) -> None:
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    told, end = read(JsonReader(lambda found: found == {"a": 1}), *pieces)
    assert (told, end) == ('{"a": 1}', End())


def test_backticks_inside_of_json_are_kept() -> None:
    written = json.dumps({"a": "```"})
    assert read(JsonReader(lambda found: True), *written)[0] == written


@pytest.mark.parametrize("written", ["", "```", "no", '{"a": 1', '{"a": 2}', '{"a": NaN}'])
def test_what_does_not_obey_is_no_answer(written: str) -> None:
    with pytest.raises(JobError, match="obey"):
        read(JsonReader(lambda found: found == {"a": 1}), written)


def test_an_answer_that_ends_at_its_limit_is_told_as_far_as_it_goes() -> None:
    assert read(JsonReader(lambda found: False), '{"a": ', cut=True) == ('{"a":', End())
    assert read(ToolReader(GO), '{"calls": [], "text": "and th', cut=True) == ("and th", End())
    assert read(ToolReader(GO), '{"calls": [{"name": "go", "argu', cut=True) == ("", End())
    assert read(ToolReader(GO), "{", cut=True) == ("", End())


@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_the_words_of_an_object_are_told_while_they_are_written(size: int) -> None:
    text = 'He said "no" \\ ü 😀\n' * 50
    written = json.dumps({"calls": [], "text": text})
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    reader = ToolReader(GO)
    told = [reader.feed(piece) for piece in pieces]
    end = reader.finish(False)
    assert "".join(told) + end.text == text
    if size == 1:
        assert sum(map(bool, told)) > 50


def test_words_that_come_before_the_calls_are_told_as_well() -> None:
    told, end = read(ToolReader(GO), '{"text": "I go.", "calls": [{"name": "go"}]}')
    assert (told, end.text) == ("I go.", "")
    assert [(call.name, call.arguments) for call in end.calls] == [("go", "{}")]


def test_more_calls_than_are_taken_are_not_made() -> None:
    written = json.dumps({"calls": [{"name": "go", "arguments": {}}] * 3, "text": ""})
    assert len(read(ToolReader(GO._replace(most=1)), written)[1].calls) == 1


@pytest.mark.parametrize(
    "written", ['{"calls": []}', "no", "", '{"calls": [{"name": "fly"}]}', '{"calls": "go"}', "[1]"]
)
def test_who_must_call_and_does_not_is_an_error(written: str) -> None:
    with pytest.raises(JobError):
        read(ToolReader(MUST), written)
