"""One small piece of work of every trade, done by an agent's own services without a hub: what the
hub would order goes in, what the hub would hear comes out."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import msgspec

from agents.runtime.errors import AgentError
from agents.runtime.life import Agent
from agents.runtime.service import BatchService, Item, ListeningService, Service
from protocols.envelope import Envelope, Message
from protocols.messages.agent import AgentKind
from protocols.messages.audio import MIC_RATE_HZ, MicChunk, SpeechChunk, UtteranceChunk
from protocols.messages.blob import BlobRef, BlobSent
from protocols.messages.chat import ChatDelta, ChatEntry, ChatRequest
from protocols.messages.image import ImageDone, ImageRequest
from protocols.messages.job import SpeakRequest
from protocols.messages.session import SessionAssign
from protocols.messages.trace import TraceBatch, join_entries
from protocols.messages.transcript import TranscriptFailed, TranscriptFinal
from protocols.messages.turn import ResponseDelta, ResponseDone, TurnStart
from protocols.messages.voice import UtteranceEnded, UtteranceFinish
from protocols.vocabulary import EMOTIONS, GESTURES, SKILLS

QUESTION = "hello"
PHRASE = "Hello, I am your robot."
PICTURE = ImageRequest(prompt="a red ball", width=256, height=256, steps=1)
RED_SQUARE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAeUlEQVR4nO3PQQkAMAzAwEqof1WTNBF7HINABFzm"
    "7H7dcEEDWtCAFjSgBQ1oQQNa0IAWNKAFDWhBA1rQgBY0oAUNaEEDWtCAFjSgBQ1oQQNa0IAWNKAFDWhBA1rQgBY0"
    "oAUNaEEDWtCAFjSgBQ1oQQNa0IAWNKAFj11mTwDigCLoNgAAAABJRU5ErkJggg=="
)
"""A PNG of 64 × 64 pixels."""
CHUNK_SAMPLES = MIC_RATE_HZ // 50
PATIENCE_S = 4.0
"""How much silence ears hears after the recording; the longest that its rules wait is less."""

_SAMPLE_BYTES = 2
_ROBOT = "trial"


class Answer(NamedTuple):
    """The first answer that the work brought: after how many milliseconds, and what a person may
    want to know of it."""

    ms: float
    note: str = ""


Work = Callable[[Agent, bytes], Awaitable[Answer]]


class _Inbox:
    """Holds all that is put into it; the scope is never closed."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[Item] = asyncio.Queue()

    def put(self, message: Message, blob: bytes = b"") -> None:
        self._items.put_nowait(Item(Envelope(robot=_ROBOT, body=message), blob))

    def __aiter__(self) -> "_Inbox":
        return self

    async def __anext__(self) -> Item:
        return await self._items.get()


class _Answers:
    """An ``emit`` that waits for the first message of some classes."""

    def __init__(self, *expected: type[Message]) -> None:
        self._expected = expected
        self.over = asyncio.Event()
        self.first: Message | None = None
        self.at_s = 0.0

    def __call__(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        if self.first is None and isinstance(message, self._expected):
            self.first, self.at_s = message, time.monotonic()
            self.over.set()
        return True


async def answer_turn(agent: Agent, sound: bytes) -> Answer:
    """A planner's first words to a greeting."""
    began_s = time.monotonic()
    turn = TurnStart(user_text=QUESTION, emotions=EMOTIONS, gestures=GESTURES, skills=SKILLS)
    answers = await _served(agent, [(turn, b"")], _Answers(ResponseDelta, ResponseDone))
    return Answer(_ms(began_s, answers))


async def speak(agent: Agent, sound: bytes) -> Answer:
    """A voice's first sound of a phrase."""
    began_s = time.monotonic()
    request = SpeakRequest(text=PHRASE, rate_hz=MIC_RATE_HZ)
    answers = await _served(agent, [(request, b"")], _Answers(SpeechChunk))
    return Answer(_ms(began_s, answers))


async def transcribe(agent: Agent, sound: bytes) -> Answer:
    """The transcript of a recording that is there as a whole."""
    orders: list[tuple[Message, bytes]] = [(SessionAssign(), b"")]
    for first, piece in _pieces(sound):
        orders.append((UtteranceChunk(utterance=1, first_sample=first), piece))
    end = len(sound) // _SAMPLE_BYTES
    orders.append((UtteranceFinish(utterance=1, first_sample=0, last_sample=end), b""))
    began_s = time.monotonic()
    answers = await _served(agent, orders, _Answers(TranscriptFinal, TranscriptFailed))
    match answers.first:
        case TranscriptFailed(code=code, detail=detail):
            raise AgentError(detail, code)
        case TranscriptFinal(text=text):
            return Answer(_ms(began_s, answers), f"heard “{text}”" if text else "heard no word")
        case _:
            raise AssertionError("nothing else is waited for")


async def hear(agent: Agent, sound: bytes) -> Answer:
    """The end of what is said in a recording, heard as it is spoken; the time is from the end of
    the voice.

    Raises:
        AgentError: ``deaf``; no utterance was heard in it.
    """
    (ears,) = (service for service in agent.services if isinstance(service, BatchService))
    answers = _Answers(UtteranceEnded)
    ears.open(Envelope(robot=_ROBOT, body=SessionAssign()), answers)
    silence = bytes(int(PATIENCE_S * MIC_RATE_HZ) * _SAMPLE_BYTES)
    began_s = time.monotonic()
    for first, piece in _pieces(sound + silence):
        ears.handle(Envelope(robot=_ROBOT, body=MicChunk(first_sample=first)), piece)
        for error in ears.drained().values():
            raise error
        due_s = began_s + (first + CHUNK_SAMPLES) / MIC_RATE_HZ
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        if answers.over.is_set():
            break
    ears.close(_ROBOT)
    ended = answers.first
    if not isinstance(ended, UtteranceEnded):
        raise AgentError("no utterance was heard in the recording of one", "deaf")
    asked = f"turn model sure to {ended.probability:.0%}" if ended.probability >= 0 else ""
    return Answer(_ms(began_s + ended.speech_end_sample / MIC_RATE_HZ, answers), asked)


async def draw(agent: Agent, sound: bytes) -> Answer:
    """A small picture of one step."""
    began_s = time.monotonic()
    answers = await _served(agent, [(PICTURE, b"")], _Answers(ImageDone))
    return Answer(_ms(began_s, answers))


async def look(agent: Agent, sound: bytes) -> Answer:
    """The first words about a red square."""
    began_s = time.monotonic()
    shown = BlobRef(index=0, size_bytes=len(RED_SQUARE), media_type="image/png")
    entry = ChatEntry(role="user", text="What do you see?", pictures=(shown,))
    orders: list[tuple[Message, bytes]] = [
        (ChatRequest(messages=(entry,)), b""),
        (BlobSent(index=0, offset=0, data=RED_SQUARE), b""),
    ]
    answers = await _served(agent, orders, _Answers(ChatDelta))
    assert isinstance(answers.first, ChatDelta)
    return Answer(_ms(began_s, answers), f"says “{answers.first.text.strip()}”")


async def record(agent: Agent, sound: bytes) -> Answer:
    """An entry of a trace on tape.

    Raises:
        AgentError: ``not_recorded``; the recorder counted it as lost.
    """
    (recorder,) = (one for one in agent.services if isinstance(one, ListeningService))
    batch = TraceBatch(boot=0, hub_id=_ROBOT, version="")
    entry = msgspec.msgpack.encode({"type": "trial", "n": 1, "t_ns": 0})
    began_s = time.monotonic()
    recorder.handle(Envelope(body=batch), join_entries([entry]))
    if lost := drops_of(agent):
        raise AgentError(f"counted {', '.join(sorted(lost))}", "not_recorded")
    return Answer((time.monotonic() - began_s) * 1_000)


WORKS: Mapping[AgentKind, Work] = {
    AgentKind.EARS: hear,
    AgentKind.STT: transcribe,
    AgentKind.PLANNER: answer_turn,
    AgentKind.TTS: speak,
    AgentKind.VISION: look,
    AgentKind.IMAGE_GEN: draw,
    AgentKind.RECORDER: record,
}
LISTENING = frozenset({AgentKind.EARS, AgentKind.STT})
"""Trades whose work needs a recording."""


def drops_of(agent: Agent) -> dict[str, int]:
    """What its services counted as lost or refused."""
    counts: dict[str, int] = {}
    for service in agent.services:
        counts |= {name: n for name, n in getattr(service, "counters", {}).items() if n}
    return counts


async def _served(agent: Agent, orders: list[tuple[Message, bytes]], answers: _Answers) -> _Answers:
    """Serve one scope until it answers, then leave it.

    Raises:
        AgentError: the service failed, or ended without an answer (``no_answer``).
    """
    opening = type(orders[0][0])
    (service,) = (
        one
        for one in agent.services
        if not isinstance(one, BatchService | ListeningService) and opening in one.opens
    )
    inbox = _Inbox()
    for message, blob in orders:
        inbox.put(message, blob)
    failures: list[AgentError] = []
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(_serve(service, inbox, answers, failures))
        await answers.over.wait()
        serving.cancel()
    if answers.first is None:
        raise failures[0] if failures else AgentError("it ended without an answer", "no_answer")
    return answers


async def _serve(
    service: Service, inbox: _Inbox, answers: _Answers, failures: list[AgentError]
) -> None:
    try:
        await service.serve(inbox, answers)
    except AgentError as error:
        failures.append(error)
    finally:
        answers.over.set()


def _pieces(sound: bytes) -> list[tuple[int, bytes]]:
    """Chunks as a robot sends them, each with its first sample."""
    size = CHUNK_SAMPLES * _SAMPLE_BYTES
    return [(at // _SAMPLE_BYTES, sound[at : at + size]) for at in range(0, len(sound), size)]


def _ms(since_s: float, answers: _Answers) -> float:
    return (answers.at_s - since_s) * 1_000
