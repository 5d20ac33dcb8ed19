"""The inbox of a scope, by itself."""

import asyncio
from collections import Counter

import pytest

from agents.runtime.errors import InboxOverrun
from agents.runtime.inbox import NOMINAL_BYTES, ScopeInbox
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.audio import UtteranceChunk
from protocols.messages.speech import SpeechCredit
from protocols.qos import QOS, QosClass
from tests.virtual_time import Hang, run, settle, virtual

CREDIT = SpeechCredit(until_ms=0)
CHUNK = UtteranceChunk(utterance=1, first_sample=0)
CONTROL_BOUND = QOS[QosClass.CONTROL].bound_bytes // NOMINAL_BYTES


def numbered(number: int, body: Message = CREDIT) -> AnyEnvelope:
    return Envelope(id=number, body=body)


def filled(drops: Counter[str]) -> ScopeInbox:
    return ScopeInbox(lambda name: drops.update([name]))


@virtual
async def test_what_is_put_is_read_in_order_until_the_close() -> None:
    inbox = filled(Counter())
    for number in range(1, 4):
        inbox.put(numbered(number))
    inbox.close()
    assert [item.envelope.id async for item in inbox] == [1, 2, 3]
    assert inbox.last_id == 3


@virtual
async def test_a_waiting_reader_is_woken_by_a_message_and_by_the_close() -> None:
    inbox, read = filled(Counter()), []

    async def reader() -> None:
        async for item in inbox:
            read.append(item.envelope.id)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reader())
        await settle()
        inbox.put(numbered(1))
        await settle()
        assert read == [1]
        inbox.close()


def test_a_reader_that_nobody_writes_to_is_a_hang() -> None:
    async def reader() -> None:
        await anext(filled(Counter()))

    with pytest.raises(Hang):
        run(reader())


@virtual
async def test_what_comes_after_the_close_is_counted() -> None:
    drops: Counter[str] = Counter()
    inbox = filled(drops)
    inbox.close()
    inbox.put(numbered(1))
    assert drops == {"closed_inbox": 1}


@virtual
async def test_control_is_never_dropped() -> None:
    inbox = filled(Counter())
    for number in range(CONTROL_BOUND):
        inbox.put(numbered(number))
    with pytest.raises(InboxOverrun):
        inbox.put(numbered(CONTROL_BOUND))


@virtual
async def test_full_media_do_not_keep_control_out() -> None:
    drops: Counter[str] = Counter()
    inbox = filled(drops)
    second = b"\0" * 32_000
    for number in range(3):
        inbox.put(numbered(number, CHUNK), second)
    inbox.put(numbered(9))
    inbox.close()
    assert [item.envelope.id async for item in inbox] == [1, 2, 9]
    assert drops == {"inbox.mic": 1}


@virtual
async def test_reading_makes_room() -> None:
    inbox = filled(Counter())
    for number in range(3 * CONTROL_BOUND):
        inbox.put(numbered(number))
        assert (await anext(inbox)).envelope.id == number
