"""What robots may remember: consent, refusals, decay on the disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.memory.robots import MAX_NOTES, RobotMemories
from agents.memory.schema import FILE
from agents.memory.store import Store
from protocols.messages.memory import MemoryState, Remembered

DAY_S = 86_400.0


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def memories(store: Store, wall: Wall) -> RobotMemories:
    return RobotMemories(store, clock=wall)


def on_disk(directory: Path, text: bytes) -> bool:
    """Whether any file of the memory holds ``text``."""
    return any(text in path.read_bytes() for path in directory.glob(f"{FILE}*"))


def topic(tag: str, **more: str) -> dict[str, str]:
    return {"tag": tag, "category": "topic", **more}


async def test_without_consent_nothing_is_kept_and_that_is_counted(
    memories: RobotMemories, tmp_path: Path
) -> None:
    state = await memories.note("r1", [topic("dinosaurs"), topic("bears")], "chat")
    assert state == MemoryState(consent=False, refused=2)
    assert memories.counters["tags.without_consent"] == 2
    assert await memories.recall("r1", 20) == MemoryState(consent=False)
    await memories.consent("r1", True)
    assert (await memories.recall("r1", 20)).entries == ()
    assert not on_disk(tmp_path, b"dinosaurs")


async def test_with_consent_a_robot_remembers_and_its_memories_fade(
    memories: RobotMemories, wall: Wall
) -> None:
    await memories.consent("r1", True)
    await memories.note("r1", [topic("Dinosaurs"), {"tag": "Anna", "category": "name"}], "chat")
    wall.now_s += 21 * DAY_S
    state = await memories.recall("r1", 20)
    assert [(e.tag, e.category, e.strength) for e in state.entries] == [
        ("anna", "name", 1.0),
        ("dinosaurs", "topic", 0.5),
    ]
    state = await memories.note("r1", [topic("dinosaurs", valence_bias="0.5")], "chat")
    again = Remembered(
        tag="dinosaurs", category="topic", strength=1.0, valence_bias=0.5, reinforcements=1
    )
    assert again in state.entries
    assert [e.tag for e in (await memories.recall("r1", 1)).entries] == ["dinosaurs"]


async def test_no_consent_any_more_forgets_everything_on_the_disk_too(
    memories: RobotMemories, tmp_path: Path
) -> None:
    for robot in ("r1", "r2"):
        await memories.consent(robot, True)
        await memories.note(robot, [topic(f"wombat of {robot}")], "chat")
    assert await memories.consent("r1", False) == MemoryState(consent=False)
    assert await memories.recall("r1", 20) == MemoryState(consent=False)
    assert len((await memories.recall("r2", 20)).entries) == 1
    assert not on_disk(tmp_path, b"wombat of r1")


async def test_a_default_of_consent_binds_those_who_said_nothing(
    store: Store, tmp_path: Path
) -> None:
    allowed = RobotMemories(store, default_consent=True)
    await allowed.open()
    await allowed.note("r1", [topic("bears")], "chat")
    await allowed.consent("r2", True)
    await allowed.note("r2", [topic("cats")], "chat")
    assert (await allowed.recall("r1", 5)).consent
    asked = RobotMemories(store)
    await asked.open()
    assert asked.counters["entries.without_consent"] == 1
    assert not (await asked.recall("r1", 5)).consent
    assert [e.tag for e in (await asked.recall("r2", 5)).entries] == ["cats"]
    assert not on_disk(tmp_path, b"bears")


async def test_what_is_no_tag_is_refused_and_counted_and_the_rest_is_kept(
    memories: RobotMemories,
) -> None:
    await memories.consent("r1", True)
    tags = [
        topic("bears"),
        topic("I told you that my brother is not at home today."),
        topic(""),
        {"tag": "cats"},
        {"tag": "cats", "category": "transcript"},
        topic("dogs", valence_bias="nan"),
        topic("dogs", arousal_bias="2"),
        {},
    ]
    state = await memories.note("r1", tags, "Not a source!")
    assert [e.tag for e in state.entries] == ["bears"]
    assert state.refused == 7
    assert memories.counters == {
        "tags.not_a_tag": 2,
        "tags.unknown_category": 3,
        "tags.bad_bias": 2,
    }


async def test_a_flood_of_tags_is_cut(memories: RobotMemories) -> None:
    await memories.consent("r1", True)
    state = await memories.note("r1", [topic(f"tag {n}") for n in range(MAX_NOTES + 8)], "chat")
    assert len(state.entries) == 20
    assert state.refused == 8
    assert memories.counters["tags.too_many"] == 8


async def test_memories_outlive_the_process(store: Store, tmp_path: Path) -> None:
    memories = RobotMemories(store)
    await memories.consent("r1", True)
    await memories.note("r1", [topic("bears")], "chat")
    another = Store(tmp_path)
    state = await RobotMemories(another).recall("r1", 20)
    await another.close()
    assert [e.tag for e in state.entries] == ["bears"]


@pytest.mark.parametrize(
    ("tags", "left"),
    [((), ()), (("Trains ", "no tag!"), ("bears",)), (("zebras",), ("bears", "trains"))],
)
async def test_what_is_to_be_forgotten_is_gone_from_the_disk_and_consent_stays(
    memories: RobotMemories, tmp_path: Path, tags: tuple[str, ...], left: tuple[str, ...]
) -> None:
    await memories.consent("r1", True)
    await memories.consent("r2", True)
    for robot in ("r1", "r2"):
        await memories.note(robot, [topic("trains"), topic("bears")], "chat")
    await memories.consent("r2", False)

    state = await memories.forget("r1", tags)

    assert state.consent
    assert tuple(sorted(entry.tag for entry in state.entries)) == left
    assert (await memories.recall("r1", 20)).entries == state.entries
    assert on_disk(tmp_path, b"trains") is ("trains" in left)


async def test_without_consent_there_is_nothing_to_forget(memories: RobotMemories) -> None:
    assert await memories.forget("r1", ()) == MemoryState(consent=False)
