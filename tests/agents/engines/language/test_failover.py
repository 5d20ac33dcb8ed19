"""Which of several models is asked, and when the next one is."""

import asyncio
from contextlib import aclosing
from math import inf

import pytest
import structlog

from agents.engines.language.base import ChatMessage, Prompt
from agents.engines.language.failover import COOL_DOWN_S, PATIENCE_S, Failover, cool_down_s, order
from agents.engines.language.openai import OpenAiModel, Server
from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable
from tests.fakes.language_model import FakeLanguageModel, Writing
from tests.fakes.openai_server import GOOD_ANSWER, Behaviour, OpenAiServer
from tests.virtual_time import virtual

PROMPT = Prompt([ChatMessage("user", "hi")])
DOWN = Writing((), error=BackendUnavailable("down"))


@pytest.mark.parametrize(
    ("cooling_until", "now", "asked"),
    [
        ((-inf, -inf, -inf), 0.0, [0, 1, 2]),
        ((15.0, -inf, -inf), 6.0, [1, 2, 0]),
        ((15.0, -inf, 14.0), 6.0, [1, 2, 0]),
        ((14.0, -inf, 15.0), 6.0, [1, 0, 2]),
        ((15.0, 14.0, 13.0), 6.0, [2, 1, 0]),
        ((14.0, 14.0), 6.0, [0, 1]),
        ((15.0, -inf), 15.0, [0, 1]),
        ((15.0, -inf), 14.9, [1, 0]),
        ((15.0,), 6.0, [0]),
    ],
    ids=[
        "all healthy", "first failed", "the sooner healthy the earlier", "in the middle",
        "all failed", "all at once", "cooled down", "not yet", "the only one",
    ],
)  # fmt: skip
def test_the_order_is_the_healthy_then_the_soonest_to_be(
    cooling_until: tuple[float, ...], now: float, asked: list[int]
) -> None:
    assert order(cooling_until, now) == asked


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, COOL_DOWN_S), (2, 20.0), (3, 40.0), (6, 320.0), (7, 320.0), (10_000, 320.0)],
)
def test_the_oftener_a_model_fails_the_longer_it_rests(failures: int, seconds: float) -> None:
    assert cool_down_s(failures) == seconds


async def text_of(model: Failover, heard: list[str] | None = None) -> str:
    """The whole text; ``heard`` gets its pieces, also of one that fails."""
    pieces = heard if heard is not None else []
    async with aclosing(model.write(PROMPT)) as written:
        async for piece in written:
            pieces.append(piece)
    return "".join(pieces)


@pytest.mark.parametrize("error", [BackendUnavailable("x"), BackendTimeout("x"), BackendBusy("x")])
@virtual
async def test_a_failure_before_the_first_piece_goes_on_to_the_next(error: AgentError) -> None:
    first, second = FakeLanguageModel(Writing((), error=error)), FakeLanguageModel(Writing(("b",)))
    assert await text_of(Failover([first, second])) == "b"
    assert (len(first.prompts), len(second.prompts)) == (1, 1)


@virtual
async def test_a_failure_after_the_first_piece_stands() -> None:
    first = FakeLanguageModel(Writing(("Once ",), error=BackendUnavailable("killed")))
    second = FakeLanguageModel()
    model = Failover([first, second])
    heard: list[str] = []
    with pytest.raises(BackendUnavailable, match="killed"):
        await text_of(model, heard)
    assert heard == ["Once "]
    assert second.prompts == []
    assert await text_of(model) == "words"
    assert len(second.prompts) == 1, "the next request goes elsewhere"


@virtual
async def test_an_error_that_is_the_requests_own_is_not_passed_on() -> None:
    first = FakeLanguageModel(Writing((), error=AgentError("too long", code="llm_error")))
    second = FakeLanguageModel()
    with pytest.raises(AgentError, match="too long"):
        await text_of(Failover([first, second]))
    assert second.prompts == []


@virtual
async def test_a_model_that_failed_is_asked_again_once_it_has_cooled_down() -> None:
    first = FakeLanguageModel(DOWN, Writing(("first",)))
    second = FakeLanguageModel(Writing(("second",)))
    model = Failover([first, second])
    assert await text_of(model) == "second"
    await asyncio.sleep(COOL_DOWN_S - 0.1)
    assert await text_of(model) == "second"
    assert len(first.prompts) == 1
    await asyncio.sleep(0.2)
    assert await text_of(model) == "first"


@virtual
async def test_a_model_that_answered_again_rests_no_longer_than_at_first() -> None:
    first = FakeLanguageModel(DOWN, DOWN, Writing(("first",)), DOWN, Writing(("first",)))
    model = Failover([first, FakeLanguageModel(Writing(("second",)))])
    assert await text_of(model) == "second"
    await asyncio.sleep(COOL_DOWN_S)
    assert await text_of(model) == "second"
    await asyncio.sleep(COOL_DOWN_S)
    assert await text_of(model) == "second"
    assert len(first.prompts) == 2, "it rests for twice as long"
    await asyncio.sleep(COOL_DOWN_S)
    assert await text_of(model) == "first"
    assert await text_of(model) == "second"
    await asyncio.sleep(COOL_DOWN_S)
    assert await text_of(model) == "first"


@virtual
async def test_a_model_that_answers_although_it_cools_down_is_healthy() -> None:
    first = FakeLanguageModel(DOWN, Writing(("first",)))
    second = FakeLanguageModel(DOWN)
    model = Failover([first, second])
    with pytest.raises(BackendUnavailable):
        await text_of(model)
    assert await text_of(model) == "first"
    assert await text_of(model) == "first"
    assert len(second.prompts) == 1


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((BackendUnavailable("a"), BackendUnavailable("b")), "backend_unavailable"),
        ((BackendBusy("a"), BackendUnavailable("b")), "backend_busy"),
        ((BackendUnavailable("a"), BackendTimeout("b")), "backend_timeout"),
        ((BackendTimeout("a"), BackendBusy("b")), "backend_busy"),
    ],
)
@virtual
async def test_if_all_fail_all_are_named_with_the_most_hopeful_code(
    errors: tuple[AgentError, ...], code: str
) -> None:
    models = [
        FakeLanguageModel(Writing((), error=error), where=f"host{number}")
        for number, error in enumerate(errors)
    ]
    with pytest.raises(AgentError) as raised:
        await text_of(Failover(models))
    assert raised.value.code == code
    assert str(raised.value) == "host0: a; host1: b"


@pytest.mark.parametrize(("waited_s", "passed_over"), [(PATIENCE_S / 2, 0), (PATIENCE_S * 1.5, 1)])
@virtual
async def test_who_waits_in_vain_for_a_first_piece_is_answered_by_another_next_time(
    waited_s: float, passed_over: int
) -> None:
    silent = FakeLanguageModel(Writing(pause_s=1000.0))
    other = FakeLanguageModel()
    model = Failover([silent, other])
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(text_of(model))
        await asyncio.sleep(waited_s)
        waiting.cancel()
    assert silent.open == 0
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(text_of(model))
        await asyncio.sleep(0.1)
        waiting.cancel()
    assert len(other.prompts) == passed_over


@virtual
async def test_an_answer_that_is_left_after_it_began_is_no_failure() -> None:
    first = FakeLanguageModel(Writing(("a", "b"), pause_s=PATIENCE_S * 2))
    second = FakeLanguageModel()
    model = Failover([first, second])
    for _ in range(2):
        async with aclosing(model.write(PROMPT)) as pieces:
            assert await anext(pieces) == "a"
    assert (len(first.prompts), len(second.prompts), first.open) == (2, 0, 0)


@virtual
async def test_it_starts_if_one_of_them_does_and_starts_the_other_when_it_is_needed() -> None:
    late = FakeLanguageModel(
        Writing(("late",)), start_errors=(BackendUnavailable("booting"), BackendUnavailable("…"))
    )
    first = FakeLanguageModel(Writing(("first",)), DOWN)
    model = Failover([late, first])
    await model.start()
    assert await text_of(model) == "first"
    with pytest.raises(BackendUnavailable, match="…"):
        await text_of(model)
    assert late.prompts == []
    assert await text_of(model) == "late"
    assert late.starts == 3


@virtual
async def test_it_does_not_start_if_none_of_them_does() -> None:
    models = [FakeLanguageModel(start_errors=(BackendUnavailable(text),)) for text in "ab"]
    with pytest.raises(BackendUnavailable, match="a; b"):
        await Failover(models).start()


@virtual
async def test_all_of_them_are_closed() -> None:
    models = [FakeLanguageModel(), FakeLanguageModel()]
    await Failover(models).close()
    assert [model.closed for model in models] == [True, True]


@virtual
async def test_it_says_who_answers_when_that_changes() -> None:
    models = [FakeLanguageModel(DOWN, where="http://a"), FakeLanguageModel(where="http://b")]
    models[1].model = "big"
    model = Failover(models)
    with structlog.testing.capture_logs() as logs:
        await text_of(model)
        await text_of(model)
    assert [(e["event"], e["where"]) for e in logs] == [
        ("model_failed", "http://a"),
        ("model_changed", "http://b"),
    ]
    assert (model.model, model.where) == ("big", "http://a, http://b")


async def test_a_server_that_was_killed_is_replaced_by_one_that_lives() -> None:
    async with (
        OpenAiServer(Behaviour(dies_after=0)) as dying,
        OpenAiServer(Behaviour(status=429)) as busy,
        OpenAiServer() as healthy,
    ):
        async with OpenAiServer() as gone:
            pass
        servers = (gone, dying, busy, healthy)
        model = Failover([OpenAiModel(Server(s.base_url, "tiny")) for s in servers])
        assert await text_of(model) == "".join(GOOD_ANSWER)
        assert await text_of(model) == "".join(GOOD_ANSWER)
        await model.close()
    assert [len(s.requests) for s in servers] == [0, 1, 1, 2]
