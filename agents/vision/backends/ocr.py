"""Text in pictures, read by rapidocr in a child process of its own.

Its models are in its wheel. It is a child not because of the interpreter's lock, which it lets go of,
but because of its memory, some 400 MiB, which the end of a process gives back.
"""

from agents.runtime.worker import WorkerProcess
from agents.vision.seen import Line, Page, Word


class OcrReader:
    """Reads one picture at a time; ``threads`` of the processor work on it."""

    name = "rapidocr"

    def __init__(self, threads: int = 1) -> None:
        self._worker = WorkerProcess("agents.vision.backends.ocr_child:OcrChild", threads)

    async def start(self) -> None:
        """Load the models and read a first page.

        Raises:
            BackendUnavailable: rapidocr is not installed, or cannot read.
        """
        await self._worker.start()

    async def close(self) -> None:
        """End the child."""
        await self._worker.close()

    async def read(self, picture: bytes) -> Page:
        """See ``Reader``.

        Raises:
            AgentError: ``bad_picture``, or the child ended (``worker_died``).
            BackendUnavailable: as ``start``.
        """
        width, height, lines = await self._worker.call("read", picture)
        return Page(
            width,
            height,
            tuple(
                Line(Word(*whole), tuple(Word(*word) for word in words)) for whole, words in lines
            ),
        )
