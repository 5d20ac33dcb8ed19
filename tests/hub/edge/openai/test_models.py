"""Which models there are under ``/v1``, and how the client's errors come out of what the hub refuses."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import (
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from hub.edge.openai.naming import UnknownModel, chat_model_named, model_named
from hub.edge.services import EdgeFacts
from hub.jobs.job import Bounds, JobClass
from hub.registry import AgentInfo
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.messages.agent import AgentKind, AgentState
from tests.hub.edge.openai.conftest import Api, serving
from tests.virtual_time import until

HELLO: list[Any] = [{"role": "user", "content": "hello"}]


async def test_every_model_that_serves_is_listed(api: Api) -> None:
    found = {model.id: model for model in (await api.client.models.list()).data}
    assert found.keys() >= {"tiny-chat", "tiny-eyes", "tiny-vectors", "tiny-painter"}
    assert found["tiny-chat"].owned_by == "robot-hub"
    assert found["tiny-chat"].created > 1_600_000_000
    assert found["tiny-painter"].model_extra == {"kind": "image_gen", "backend": "scripted"}


@pytest.mark.parametrize("name", ["tiny-chat", "Owner/Tiny-Chat", "gpt-4o", "mine"])
async def test_a_model_is_found_by_its_name_and_by_others_that_mean_it(api: Api, name: str) -> None:
    assert (await api.client.models.retrieve(name)).id == "tiny-chat"


async def test_a_name_that_means_nothing_is_no_model(api: Api) -> None:
    with pytest.raises(NotFoundError) as caught:
        await api.client.models.retrieve("owner/huge-chat")
    assert (caught.value.code, caught.value.type) == ("model_not_found", "not_found_error")
    with pytest.raises(NotFoundError, match="there is no model 'huge-chat' for this; there is: t"):
        await api.client.chat.completions.create(model="huge-chat", messages=HELLO)
    with pytest.raises(NotFoundError):
        await api.client.embeddings.create(model="tiny-chat", input="hello")
    with pytest.raises(NotFoundError):
        await api.client.images.generate(model="whisper-1", prompt="a cat")


async def test_every_name_means_something_where_a_setting_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path, facts=EdgeFacts(aliases={"*": ""})) as api:
        answer = await api.client.chat.completions.create(model="huge-chat", messages=HELLO)
        assert answer.model == "tiny-chat"


async def test_a_token_is_needed_once_there_is_one(api: Api) -> None:
    good = tokens.create(api.db)
    watches = tokens.create(api.db, scope=Scope.OBSERVER)
    with pytest.raises(AuthenticationError) as refused:
        await api.client.models.list()
    assert refused.value.type == "authentication_error"
    async with AsyncOpenAI(base_url=f"{api.url}/v1", api_key=good, max_retries=0) as client:
        assert (await client.chat.completions.create(model="tiny-chat", messages=HELLO)).choices
    async with AsyncOpenAI(base_url=f"{api.url}/v1", api_key=watches, max_retries=0) as client:
        assert (await client.models.list()).data
        with pytest.raises(PermissionDeniedError):
            await client.chat.completions.create(model="tiny-chat", messages=HELLO)


async def test_a_token_that_asks_too_often_is_told_when_it_may_again(api: Api) -> None:
    token = tokens.create(api.db, rate=1)
    async with AsyncOpenAI(base_url=f"{api.url}/v1", api_key=token, max_retries=0) as client:
        await client.models.list()
        with pytest.raises(RateLimitError) as caught:
            await asyncio.gather(*(client.models.list() for _ in range(100)))
    assert caught.value.type == "rate_limit_error"
    assert int(caught.value.response.headers["retry-after"]) >= 1


async def test_a_hub_with_too_much_to_do_says_so_at_once(tmp_path: Path) -> None:
    bounds = Bounds(queued=dict.fromkeys(JobClass, 1), share=1.0, running=1)
    async with serving(tmp_path, bounds) as api, asyncio.TaskGroup() as tasks:
        api.planner.play(*[("slowly",) * 100] * 2, pause_s=0.02)
        ask = api.client.chat.completions.create
        asking = [tasks.create_task(ask(model="tiny-chat", messages=HELLO)) for _ in range(2)]
        await until(lambda: len(api.there.desk.records()) == 2, within_s=10)
        with pytest.raises(RateLimitError) as caught:
            await ask(model="tiny-chat", messages=HELLO)
        assert int(caught.value.response.headers["retry-after"]) >= 1
        for task in asking:
            task.cancel()
        await api.cancelled()


async def test_bodies_that_are_no_bodies_are_refused_in_the_clients_shape(api: Api) -> None:
    with pytest.raises(BadRequestError) as caught:
        await api.client.chat.completions.create(model="", messages=HELLO)
    assert (caught.value.param, caught.value.code) == ("model", "invalid_request")
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
        for content, status in ((b"{", 400), (b"[" * 100, 400), (b" " * (35 << 20), 413)):
            headers = {"content-type": "application/json"}
            answer = await http.post("/v1/chat/completions", content=content, headers=headers)
            assert answer.status_code == status
            assert answer.json()["error"]["type"] == "invalid_request_error"
        assert (await http.get("/v1/nothing")).json()["error"]["type"] == "not_found_error"


def agent(kind: AgentKind, model: str, backend: str = "vllm") -> AgentInfo:
    name = f"{kind}-{model}"
    return AgentInfo(name, kind, "primary", backend, AgentState.READY, model=model)


MIND, EYES = agent(AgentKind.PLANNER, "org/mind"), agent(AgentKind.VISION, "org/eyes")


def test_an_engine_without_models_is_called_by_its_own_name() -> None:
    ears = agent(AgentKind.STT, "", "pocketsphinx")
    assert model_named("pocketsphinx", AgentKind.STT, [ears], {}) == ""
    assert model_named("whisper-1", AgentKind.STT, [ears], {}) == ""
    with pytest.raises(UnknownModel):
        model_named("base.en", AgentKind.STT, [ears], {})


def test_what_the_owner_calls_by_a_name_may_be_loaded_for_it() -> None:
    aliases = {"flux": "org/flux"}
    painter = agent(AgentKind.IMAGE_GEN, "org/sdxl")
    assert model_named("Flux", AgentKind.IMAGE_GEN, [painter], aliases) == "org/flux"
    with pytest.raises(UnknownModel):
        model_named("org/flux", AgentKind.IMAGE_GEN, [painter], aliases)


@pytest.mark.parametrize(
    ("name", "shows", "kind", "model"),
    [
        ("org/mind", False, AgentKind.PLANNER, "org/mind"),
        ("org/mind", True, AgentKind.VISION, ""),
        ("org/eyes", True, AgentKind.VISION, "org/eyes"),
        ("org/eyes", False, AgentKind.VISION, "org/eyes"),
        ("gpt-4o", False, AgentKind.PLANNER, ""),
        ("gpt-4o", True, AgentKind.VISION, ""),
    ],
)
def test_who_goes_on_with_a_chat(name: str, shows: bool, kind: AgentKind, model: str) -> None:
    assert chat_model_named(name, shows, [MIND, EYES], {}) == (kind, model)


@pytest.mark.parametrize(
    "name", ["gpt-4o-transcribe", "gpt-4o-mini-tts", "gpt-image-1", "dall-e-3"]
)
def test_a_hosted_model_of_another_trade_is_none_for_a_chat(name: str) -> None:
    with pytest.raises(UnknownModel):
        chat_model_named(name, False, [MIND, EYES], {})
