"""An edge with a planner, ears and a memory that answer from a script."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.edge.services import EdgeFacts, HubReport
from hub.jobs.orders import JobFact
from hub.registry import AgentInfo
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.chat import ChatDelta, ChatDone
from protocols.messages.memory import Passage, RetrieveDone
from protocols.messages.transcribe import TranscribeDone, TranscribeSegment
from tests.hub.edge.conftest import Edge, served

LION = Passage(
    document="zoo.md", chunk=3, text="The lion roars at night.", score=0.9,
    similarity=0.7, first=10, last=34, heading="Animals",
)  # fmt: skip


def agent(kind: AgentKind, backend: str = "scripted", model: str = "") -> AgentInfo:
    return AgentInfo(f"{kind.value}-1", kind, "primary", backend, AgentState.READY, model=model)


READY = HubReport(
    agents=(
        agent(AgentKind.STT, model="base"),
        agent(AgentKind.PLANNER, "ollama", model="qwen3:14b"),
        agent(AgentKind.MEMORY),
    )
)


def writes(*pieces: str) -> list[JobFact]:
    """What the planner tells of a text."""
    return [*(JobFact(ChatDelta(text=piece)) for piece in pieces), JobFact(ChatDone(model="m"))]


def hears(text: str, **done: object) -> list[JobFact]:
    """What stt tells of a recording."""
    segment = JobFact(TranscribeSegment(start_ms=0, end_ms=900, text=text))
    return [segment, JobFact(TranscribeDone(text=text, **done))]  # type: ignore[arg-type]


def finds(*passages: Passage) -> list[JobFact]:
    """What the memory tells of a question."""
    return [JobFact(RetrieveDone(passages=passages))]


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with served(tmp_path) as made:
        made.report = READY
        yield made


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Edge]:
    """One that may give answers again."""
    async with served(tmp_path, EdgeFacts(cache_s=60, cache_entries=2)) as made:
        made.report = READY
        yield made
