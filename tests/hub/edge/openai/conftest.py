"""The real edge on a real socket, the real desk behind it, agents with scripted engines, and the
client that its users have."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from agents.image_gen.agent import Pictures
from agents.image_gen.limits import Limits
from agents.memory.agent import Embeddings
from agents.memory.backends.scripted import ScriptedEmbedder
from agents.planner.agent import Chats
from agents.runtime.latch import Latch
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.recordings import Transcriptions
from agents.tts.agent import Jobs
from agents.vision.agent import Chats as PictureChats
from agents.vision.backends.scripted import ScriptedModel
from hub.counters import Counters
from hub.edge.app import build_app
from hub.edge.auth import Gate
from hub.edge.server import bind, serve
from hub.edge.services import EdgeFacts, EdgeServices, HubReport
from hub.jobs.job import Bounds
from hub.store.schema import connect
from protocols.messages.agent import AgentKind
from tests.agents.memory.embedders import Leased
from tests.fakes.noting_painter import NotingPainter
from tests.fakes.noting_voice import NotingVoice
from tests.fakes.prompted import PromptedPlanner
from tests.fakes.sessions import FakeSessions
from tests.hub.edge.conftest import DbTokens
from tests.hub.jobs.shop import Shop, shop
from tests.virtual_time import until

FACTS = EdgeFacts(aliases={"mine": "tiny-chat", "phi4": ""})


@dataclass
class Api:
    """The API and what stands behind it."""

    client: AsyncOpenAI
    url: str
    there: Shop
    gate: Gate
    planner: PromptedPlanner
    eyes: ScriptedModel
    painter: NotingPainter
    voice: NotingVoice
    db: sqlite3.Connection

    async def cancelled(self) -> None:
        """Return once no agent does anything any more."""
        await until(lambda: not self.there.active(), within_s=10)


@asynccontextmanager
async def serving(
    tmp_path: Path, bounds: Bounds | None = None, facts: EdgeFacts = FACTS
) -> AsyncIterator[Api]:
    """An API for as long as the context is open."""
    db = connect(tmp_path)
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        shop(bounds) as there,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=20) as client,
    ):
        api = Api(
            client, url, there, Gate(DbTokens(db), loopback=True), PromptedPlanner(),
            ScriptedModel(model="tiny-eyes"), NotingPainter(), NotingVoice(), db,
        )  # fmt: skip
        await _hire(api)
        services = EdgeServices(
            sessions=FakeSessions(),
            jobs=there.desk,
            gate=api.gate,
            health=lambda: HubReport(agents=tuple(there.registry.agents())),
            facts=facts,
            counters=Counters(),
        )
        stop, ready = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(build_app(services), listener, stop, ready.set))
            await ready.wait()
            yield api
            await client.close()
            stop.set()
    db.close()


async def _hire(api: Api) -> None:
    embedder = Leased(ScriptedEmbedder("tiny-vectors"))
    pictures = Pictures(api.painter, Limits())
    for kind, service, model in (
        (AgentKind.PLANNER, Chats(api.planner), "tiny-chat"),
        (AgentKind.VISION, PictureChats(api.eyes), "tiny-eyes"),
        (AgentKind.MEMORY, Embeddings(embedder, Latch()), "tiny-vectors"),
        (AgentKind.IMAGE_GEN, pictures, "tiny-painter"),
        (AgentKind.STT, Transcriptions(ScriptedRecogniser(("hello robot",))), ""),
        (AgentKind.TTS, Jobs(api.voice), ""),
    ):
        await api.there.hire(f"{kind}-1", kind, service, capacity=8, model=model)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(tmp_path) as made:
        yield made
