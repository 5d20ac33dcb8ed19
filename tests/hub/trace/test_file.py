"""Traces on disk: written by the recorder's tape, read back whole or cut anywhere."""

import itertools
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mcap.reader import make_reader
from rich.console import Console

from agents.recorder.backends.base import TapeFull
from agents.recorder.backends.mcap import McapTape, topic_of
from agents.runtime.errors import BackendUnavailable
from hub.commands.check_trace import check_trace
from hub.commands.trace import NoSuchTurn, show_trace
from hub.trace.entries import Entry, encode_entry
from hub.trace.file import UnreadableTrace, read
from protocols.messages.trace import TRACE_VERSION, TraceBatch
from tests.hub.trace.story import Story, conversation

BATCH = 10


def maps(entries: list[Entry]) -> list[dict[str, Any]]:
    """Entries as the recorder gets them."""
    return [msgspec.msgpack.decode(encode_entry(entry)) for entry in entries]


def written(
    folder: Path,
    entries: list[Entry],
    *,
    boot: int = 1,
    finished: bool = True,
    trace: int = TRACE_VERSION,
    words: bool = False,
) -> Path:
    """A trace of ``entries``, in batches; not ``finished``: its recorder was killed."""
    tape = McapTape(folder, 1 << 30)
    hub = TraceBatch(boot=boot, hub_id="hub-1", version="0.1.0", trace=trace, words=words)
    path = Path(tape.begin(hub))
    for at in range(0, len(entries), BATCH):
        tape.write(maps(entries[at : at + BATCH]))
    left = path.read_bytes()
    tape.end()
    if not finished:
        path.write_bytes(left)
    return path


def checked(*files: Path) -> tuple[int, str]:
    """Exit code and output of ``robot-hub check-trace``."""
    sink = StringIO()
    code = check_trace(files, Console(file=sink, width=200))
    return code, sink.getvalue()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    entries = conversation().entries
    assert list(read(written(tmp_path, entries))) == entries


def test_a_killed_recorder_leaves_all_it_was_given(tmp_path: Path) -> None:
    entries = conversation().entries
    assert list(read(written(tmp_path, entries, finished=False))) == entries


def test_a_file_cut_anywhere_holds_what_came_before(tmp_path: Path) -> None:
    entries = conversation().entries
    whole = written(tmp_path, entries).read_bytes()
    cut = tmp_path / "cut.mcap"
    lengths = set()
    for length in range(len(whole), 0, -97):
        cut.write_bytes(whole[:length])
        try:
            found = list(read(cut))
        except UnreadableTrace:
            break
        assert found == entries[: len(found)]
        lengths.add(len(found))
    assert {len(entries), BATCH, 0} <= lengths


def test_a_damaged_file_ends_where_the_damage_begins(tmp_path: Path) -> None:
    entries = conversation().entries
    path = written(tmp_path, entries)
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(data)
    found = list(read(path))
    assert found == entries[: len(found)]
    assert len(found) < len(entries)


def test_other_programs_find_a_channel_for_every_topic(tmp_path: Path) -> None:
    with written(tmp_path, conversation().entries, words=True).open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        (about,) = [m.metadata for m in reader.iter_metadata() if m.name == "robot-hub"]
        messages = sum(1 for _ in reader.iter_messages())
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == messages
    topics = {channel.topic: channel.message_encoding for channel in summary.channels.values()}
    assert {"/fact/turn.started", "/command/turn.start", "/told/flush", "/said/played"} <= set(
        topics
    )
    assert set(topics.values()) == {"json"}
    assert (about["hub_id"], about["boot"], about["words"]) == ("hub-1", "1", "recorded")


def test_a_topic_names_the_entry_and_what_is_in_it() -> None:
    names = {topic_of(entry) for entry in maps(conversation().entries)}
    assert {"/hub.started", "/connection.opened", "/speech.out"} <= names


def test_a_new_recorder_of_the_same_run_goes_on_in_another_file(tmp_path: Path) -> None:
    entries = conversation().entries
    first = written(tmp_path, entries[:20], finished=False)
    second = written(tmp_path, entries[20:])
    assert first != second
    assert list(itertools.chain(read(first), read(second))) == entries
    assert checked(first, second)[0] == 0


def test_a_tape_ends_at_its_limit_and_stays_readable(tmp_path: Path) -> None:
    entries = conversation().entries
    tape = McapTape(tmp_path, 1)
    path = Path(tape.begin(TraceBatch(boot=1, hub_id="", version="")))
    with pytest.raises(TapeFull):
        tape.write(maps(entries))
    assert list(read(path)) == entries


def test_a_disk_that_is_full_is_the_tapes_own_error(tmp_path: Path) -> None:
    (tmp_path / "hub-000001.mcap").symlink_to("/dev/full")
    tape = McapTape(tmp_path / "gone", 1 << 20)
    with pytest.raises(TapeFull):
        tape.begin(TraceBatch(boot=1, hub_id="", version=""))


async def test_a_directory_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackendUnavailable):
        await McapTape(tmp_path / "file" / "traces", 1).start()


def test_check_trace_says_that_a_trace_is_clean(tmp_path: Path) -> None:
    story = conversation()
    story.closes()
    story.stops()
    code, said = checked(written(tmp_path, story.entries))
    assert code == 0
    assert said.startswith(f"clean: {len(story.entries)} entries, 2 turns, 1 robot, 1 run, no hole")


def test_check_trace_names_the_first_violation_and_what_led_to_it(tmp_path: Path) -> None:
    story = conversation()
    story.begins(3)
    story.cuts(3)
    story.sends_speech(3)
    code, said = checked(written(tmp_path, story.entries))
    assert code == 1
    assert "I1 is broken of robot r1: speech of turn 3 was sent behind the fence ≤ 3" in said


def test_an_epoch_used_twice_is_found_over_two_runs(tmp_path: Path) -> None:
    files = []
    for boot in (1, 2):
        story = Story()
        story.starts(boot)
        story.opens(epoch=4)
        files.append(written(tmp_path, story.entries, boot=boot))
    code, said = checked(*files)
    assert code == 1
    assert "I2" in said


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing", None), ("empty", b""), ("text", b"no trace at all, but some text"), ("dir", None)],
)
def test_what_is_no_trace_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if name == "dir":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableTrace) as caught:
        checked(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_trace_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTrace, match="version 99"):
        checked(written(tmp_path, conversation().entries, trace=99))


def test_trace_prints_a_turn_with_its_lanes(tmp_path: Path) -> None:
    sink = StringIO()
    path = written(tmp_path, conversation().entries)
    show_trace(path, "r1", 2, Console(file=sink, width=160))
    said = sink.getvalue()
    assert "robot r1, turn 2: ended as interrupted" in said
    assert "turn.start → planner-primary" in said
    assert "→ speech ×5" in said
    with pytest.raises(NoSuchTurn, match="no turn 9 of robot r1"):
        show_trace(path, "r1", 9, Console(file=sink))
