"""A process that replaces a document and stops in the middle of it: ``python -m … DIRECTORY``.

It keeps ``old`` documents first, then says ``in the middle`` once half of the new chunks are
written, and waits to be killed.
"""

import asyncio
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from agents.memory import documents
from agents.memory.chunking import Chunk, chunks_of
from agents.memory.documents import NewDocument
from agents.memory.limits import BaseLimits
from agents.memory.store import Store

OLD = "\n\n".join(
    f"Old paragraph number {n} speaks of the old lion. {'So ' * 60}" for n in range(20)
)
NEW = OLD.replace("old", "new").replace("Old", "New")


def rows(text: str, *, stops: bool) -> Iterator[tuple[Chunk, bytes | None]]:
    chunks = list(chunks_of(text))
    for number, chunk in enumerate(chunks):
        if stops and number == len(chunks) // 2:
            sys.stdout.write("in the middle\n")
            sys.stdout.flush()
            threading.Event().wait()
        yield chunk, None


async def main(directory: Path) -> None:
    store = Store(directory)
    for text, stops in ((OLD, False), (NEW, True)):
        new = NewDocument("zoo", "guide.md", len(text), 0.0, rows(text, stops=stops))
        await store.write(partial(documents.put, new=new, limits=BaseLimits()))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
