"""A session of stt with a test at its other end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.runtime.inbox import ScopeInbox
from agents.stt.agent import Stt
from protocols.envelope import Envelope, Message
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.audio import UtteranceChunk
from protocols.messages.session import SessionAssign
from protocols.messages.transcript import TranscriptFailed, TranscriptFinal, TranscriptPartial
from protocols.messages.voice import DropReason, UtteranceDrop, UtteranceFinish
from tests.virtual_time import settle

SECOND = bytes(32_000)


def said(text: str, samples: int = 1_600) -> bytes:
    """Sound that says ``text`` to the scripted recogniser."""
    return marked_chunk(MarkKind.START, samples, text)


class Session:
    """A session of stt; collects what it emits."""

    def __init__(self) -> None:
        self.inbox = ScopeInbox(lambda name: None)
        self.emitted: list[Message] = []

    def emit(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        self.emitted.append(message)
        return True

    async def chunk(self, utterance: int, first_sample: int, pcm: bytes) -> None:
        body = UtteranceChunk(utterance=utterance, first_sample=first_sample)
        self.inbox.put(Envelope(body=body), pcm)
        await settle(5)

    async def finish(self, utterance: int, last_sample: int) -> None:
        self.inbox.put(
            Envelope(
                body=UtteranceFinish(utterance=utterance, first_sample=0, last_sample=last_sample)
            )
        )
        await settle(5)

    async def drop(self, utterance: int) -> None:
        body = UtteranceDrop(utterance=utterance, reason=DropReason.TOO_SHORT)
        self.inbox.put(Envelope(body=body))
        await settle(5)

    @property
    def finals(self) -> list[tuple[int, str]]:
        return [(m.utterance, m.text) for m in self.emitted if isinstance(m, TranscriptFinal)]

    @property
    def partials(self) -> list[str]:
        return [m.text for m in self.emitted if isinstance(m, TranscriptPartial)]

    @property
    def failures(self) -> list[str]:
        return [m.code for m in self.emitted if isinstance(m, TranscriptFailed)]


@asynccontextmanager
async def session(stt: Stt, language: str = "en") -> AsyncIterator[Session]:
    """A session that is open inside the block and released after it."""
    opened = Session()
    opened.inbox.put(Envelope(body=SessionAssign(language=language)))
    async with asyncio.timeout(None) as patience, asyncio.TaskGroup() as tasks:
        tasks.create_task(stt.serve(opened.inbox, opened.emit))
        await settle(5)
        yield opened
        opened.inbox.close()
        patience.reschedule(asyncio.get_running_loop().time() + 10)
