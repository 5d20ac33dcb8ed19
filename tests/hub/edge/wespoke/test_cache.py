"""Answers that are given again: to whom, to which requests, how many and for how long."""

from typing import Any

from hub.edge.chats import Written
from hub.edge.services import HubReport
from hub.edge.wespoke.cache import MAX_ENTRY_CHARS, CacheRules, ResponseCache, key_of
from hub.jobs.inference import Said
from hub.store import tokens
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDone, ChatRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.wespoke.conftest import agent, hears, writes
from tests.hub.edge.wespoke.test_sound import b64, wav

COLD = {"system_prompt": "Be brief.", "temperature": 0}


def written(text: str) -> Written:
    return Written(text, ChatDone())


def body(text: str = "hello", **config: Any) -> dict[str, Any]:
    return {"text": text, "config": {**COLD, **config}}


async def asked(edge: Edge, request: dict[str, Any], **headers: str) -> str | None:
    answer = await edge.http.post("/ai/generate", json=request, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["text"] == "Yes."
    return answer.headers.get("x-cache")


async def test_the_same_request_is_answered_from_memory(keeping: Edge) -> None:
    keeping.jobs.facts = [*writes("Yes.")]
    assert [await asked(keeping, body()) for _ in range(3)] == ["MISS", "HIT", "HIT"]
    assert len(keeping.jobs.wanted) == 1


async def test_nothing_is_kept_until_it_is_asked_for(edge: Edge) -> None:
    edge.jobs.facts = [*writes("Yes.")]
    assert [await asked(edge, body(cache=True)) for _ in range(2)] == [None, None]
    assert len(edge.jobs.wanted) == 2


async def test_what_is_left_to_chance_is_kept_only_if_its_client_says_so(keeping: Edge) -> None:
    keeping.jobs.facts = [*writes("Yes.")]
    warm = body(temperature=0.5)
    assert [await asked(keeping, warm) for _ in range(2)] == [None, None]
    said = body(temperature=0.5, cache=True)
    assert [await asked(keeping, said) for _ in range(2)] == ["MISS", "HIT"]
    assert await asked(keeping, body(cache=False)) is None


async def test_whatever_the_answer_depends_on_makes_another_request(keeping: Edge) -> None:
    keeping.jobs.facts = [*writes("Yes.")]
    for other in (
        body(), body("hallo"), body(system_prompt="Be long."), body(max_tokens=9),
        body(model="big"), body(tools=[{"name": "look"}]),
    ):  # fmt: skip
        assert await asked(keeping, other) == "MISS"


async def test_another_model_does_not_answer_with_the_words_of_the_last(keeping: Edge) -> None:
    keeping.jobs.facts = [*writes("Yes.")]
    assert await asked(keeping, body()) == "MISS"
    keeping.report = HubReport(agents=(agent(AgentKind.PLANNER, "ollama", model="other"),))
    assert await asked(keeping, body()) == "MISS"


async def test_nobody_is_told_what_another_token_was(keeping: Edge) -> None:
    keeping.jobs.facts = [*writes("Yes.")]
    first, second = tokens.create(keeping.db), tokens.create(keeping.db)
    told = [
        await asked(keeping, body(), Authorization=f"Bearer {token}")
        for token in (first, second, first)
    ]
    assert told == ["MISS", "MISS", "HIT"]


async def test_answers_to_recordings_are_never_kept(keeping: Edge) -> None:
    keeping.jobs.facts = [*hears("hello"), *writes("Yes.")]
    request = {"audio": b64(wav(bytes(3_200))), "config": {**COLD, "cache": True}}
    for _ in range(2):
        answer = await keeping.http.post("/ai/process-audio", json=request)
        assert "x-cache" not in answer.headers
    assert len(keeping.jobs.wanted) == 4


def test_the_one_that_was_not_wanted_for_longest_goes_first() -> None:
    cache = ResponseCache(CacheRules(entries=2, ttl_s=60), lambda: 0.0)
    cache.keep(b"a", written("a"))
    cache.keep(b"b", written("b"))
    assert cache.find(b"a") is not None
    cache.keep(b"c", written("c"))
    assert cache.find(b"b") is None
    assert cache.find(b"a") == written("a")


def test_an_answer_grows_old() -> None:
    now_s = [0.0]
    cache = ResponseCache(CacheRules(entries=2, ttl_s=60), lambda: now_s[0])
    cache.keep(b"a", written("a"))
    now_s[0] = 59.9
    assert cache.find(b"a") is not None
    now_s[0] = 60.0
    assert cache.find(b"a") is None
    assert len(cache) == 0


def test_a_very_long_answer_is_not_kept() -> None:
    cache = ResponseCache(CacheRules(entries=2, ttl_s=60), lambda: 0.0)
    cache.keep(b"a", written("x" * (MAX_ENTRY_CHARS + 1)))
    assert len(cache) == 0


def test_texts_that_only_together_are_alike_are_not_the_same() -> None:
    how = ChatRequest(messages=())
    one = key_of("", "m", [Said("user", "a"), Said("user", "b")], how)
    assert one != key_of("", "m", [Said("user", "ab")], how)
    assert one == key_of("", "m", [Said("user", "a"), Said("user", "b")], how)
