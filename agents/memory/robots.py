"""What each robot may remember, on the disk: consent first, then decay (``decay.py``)."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from agents.memory.decay import TIERS, Memory, by_strength, noted, strength
from agents.memory.names import is_source, tag_of
from agents.memory.store import Store, wall_clock
from protocols.messages.memory import MemoryState, Remembered

MAX_NOTES = 32
"""Tags of one order that are looked at; an answer has a few."""

_COLUMNS = (
    "tag, category, created_s, reinforced_s, valence_bias, arousal_bias, initial_strength,"
    " reinforcements, decay_lambda, source"
)


class Notes(NamedTuple):
    """What of an order may be remembered, and how many of its tags may not, by the reason."""

    memories: tuple[Memory, ...]
    refused: Counter[str]


class RobotMemories:
    """Memories of all robots. ``default_consent`` is that of a robot for which nobody has decided.
    Only tags are ever kept, nothing that was said."""

    def __init__(
        self,
        store: Store,
        default_consent: bool = False,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        self._store = store
        self._default = default_consent
        self._clock = clock
        self.counters: Counter[str] = Counter()

    async def open(self) -> None:
        """Forget what was remembered under a default that is no longer in force."""
        if not self._default:
            gone = await self._store.write(_forget_undecided)
            if gone:
                self.counters["entries.without_consent"] += gone
                await self._store.wipe()

    async def note(self, robot: str, tags: Sequence[Mapping[str, str]], source: str) -> MemoryState:
        """Remember ``tags``, if the robot may; what is refused is counted."""
        now_s = self._clock()
        notes = notes_of(tags, source, now_s)

        def change(db: sqlite3.Connection) -> MemoryState:
            if not self._granted(db, robot):
                return MemoryState(consent=False, refused=len(tags))
            memories = _load(db, robot)
            for new in notes.memories:
                memories = noted(memories, new, now_s)
            _save(db, robot, memories)
            return _state(memories, now_s, refused=notes.refused.total())

        state = await self._store.write(change)
        self.counters.update(
            notes.refused if state.consent else {"tags.without_consent": state.refused}
        )
        return state

    async def consent(self, robot: str, granted: bool) -> MemoryState:
        """Decide whether the robot may remember. If not, everything is forgotten, on the disk too."""
        now_s = self._clock()

        def change(db: sqlite3.Connection) -> MemoryState:
            db.execute("INSERT OR REPLACE INTO consents VALUES (?, ?, ?)", (robot, granted, now_s))
            if granted:
                return _state(_load(db, robot), now_s)
            db.execute("DELETE FROM memories WHERE robot = ?", (robot,))
            return MemoryState(consent=False)

        state = await self._store.write(change)
        if not granted:
            await self._store.wipe()
        return state

    async def forget(self, robot: str, tags: Sequence[str]) -> MemoryState:
        """Forget ``tags``, or everything where there are none, on the disk too."""
        now_s = self._clock()
        gone = {tag for tag in map(tag_of, tags) if tag is not None}

        def change(db: sqlite3.Connection) -> MemoryState:
            kept = [memory for memory in _load(db, robot) if tags and memory.tag not in gone]
            _save(db, robot, kept)
            return _state(kept, now_s) if self._granted(db, robot) else MemoryState(consent=False)

        state = await self._store.write(change)
        await self._store.wipe()
        return state

    async def recall(self, robot: str, limit: int) -> MemoryState:
        """What the robot remembers now, the strongest first."""
        now_s = self._clock()

        def query(db: sqlite3.Connection) -> MemoryState:
            if not self._granted(db, robot):
                return MemoryState(consent=False)
            return _state(_load(db, robot), now_s, limit=limit)

        return await self._store.read(query)

    def _granted(self, db: sqlite3.Connection, robot: str) -> bool:
        row = db.execute("SELECT granted FROM consents WHERE robot = ?", (robot,)).fetchone()
        return bool(row[0]) if row is not None else self._default


def notes_of(tags: Sequence[Mapping[str, str]], source: str, now_s: float) -> Notes:
    """What of ``tags`` may be remembered. Each has ``tag`` and ``category``, and may have
    ``valence_bias`` and ``arousal_bias`` from -1 to 1."""
    memories: list[Memory] = []
    refused: Counter[str] = Counter()
    if not is_source(source):
        source = ""
    for one in tags[:MAX_NOTES]:
        tag, category = tag_of(one.get("tag", "")), one.get("category", "")
        biases = _bias(one.get("valence_bias", "0")), _bias(one.get("arousal_bias", "0"))
        tier = TIERS.get(category)
        if tier is None:
            refused["tags.unknown_category"] += 1
        elif tag is None:
            refused["tags.not_a_tag"] += 1
        elif biases[0] is None or biases[1] is None:
            refused["tags.bad_bias"] += 1
        else:
            memories.append(
                Memory(
                    tag=tag,
                    category=category,
                    created_s=now_s,
                    reinforced_s=now_s,
                    valence_bias=biases[0],
                    arousal_bias=biases[1],
                    decay_lambda=tier.decay_lambda,
                    source=source,
                )
            )
    if len(tags) > MAX_NOTES:
        refused["tags.too_many"] += len(tags) - MAX_NOTES
    return Notes(tuple(memories), refused)


def _bias(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -1.0 <= value <= 1.0 else None


def _state(
    memories: Sequence[Memory], now_s: float, *, refused: int = 0, limit: int | None = None
) -> MemoryState:
    shown = by_strength(memories, now_s)[: None if limit is None else max(0, limit)]
    return MemoryState(
        consent=True,
        entries=tuple(
            Remembered(
                tag=memory.tag,
                category=memory.category,
                strength=round(strength(memory, now_s), 4),
                valence_bias=memory.valence_bias,
                arousal_bias=memory.arousal_bias,
                reinforcements=memory.reinforcements,
            )
            for memory in shown
        ),
        refused=refused,
    )


def _load(db: sqlite3.Connection, robot: str) -> tuple[Memory, ...]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM memories WHERE robot = ?", (robot,))
    return tuple(Memory(*row) for row in rows)


def _save(db: sqlite3.Connection, robot: str, memories: Sequence[Memory]) -> None:
    db.execute("DELETE FROM memories WHERE robot = ?", (robot,))
    db.executemany(
        f"INSERT INTO memories (robot, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                robot, m.tag, m.category, m.created_s, m.reinforced_s, m.valence_bias,
                m.arousal_bias, m.initial_strength, m.reinforcements, m.decay_lambda, m.source,
            )
            for m in memories
        ],
    )  # fmt: skip


def _forget_undecided(db: sqlite3.Connection) -> int:
    return db.execute(
        "DELETE FROM memories WHERE robot NOT IN (SELECT robot FROM consents WHERE granted)"
    ).rowcount
