"""The scheduler's rules, one by one: who goes first, who is refused, who gives way."""

from collections.abc import Iterable
from typing import Any

import pytest

from hub.jobs.job import Bounds, Job, JobClass, JobEnd, Offer, Rank
from hub.jobs.scheduler import Again, ChangeModel, Effect, Over, Scheduler, Start
from protocols.messages.agent import AgentKind

S = 1_000_000_000
TEXT, IMAGE, BATCH = JobClass.INTERACTIVE, JobClass.IMAGE, JobClass.BATCH


def job(number: int, job_class: JobClass = TEXT, **more: Any) -> Job:
    return Job(number, more.pop("agent", AgentKind.VISION), job_class, **more)


def offer(instance: str = "vision-1", **more: Any) -> Offer:
    return Offer(instance, more.pop("agent", AgentKind.VISION), **more)


def started(effects: Iterable[Effect]) -> list[int]:
    return [effect.number for effect in effects if isinstance(effect, Start)]


class Desk:
    """A scheduler with one set of offers and a clock that a test moves."""

    def __init__(self, *offers: Offer, **bounds: Any) -> None:
        self.core = Scheduler(Bounds(**bounds))
        self.offers = list(offers)
        self.now = 0

    def submit(self, *jobs: Job) -> list[Effect]:
        return [e for each in jobs for e in self.core.submit(each, self.offers, self.now)]

    def done(self, number: int) -> list[int]:
        assert self.core.finish(number, JobEnd.DONE, self.now)
        return started(self.core.schedule(self.offers, self.now))

    def served(self, *numbers: int) -> list[int]:
        """In which order jobs are served from now on, after those that run already."""
        running, order = list(numbers), list[int]()
        while running:
            nexts = self.done(running.pop(0))
            order += nexts
            running += nexts
        return order


def test_a_job_begins_at_once_where_there_is_room() -> None:
    assert Desk(offer()).submit(job(1)) == [Start(1, "vision-1")]


def test_text_goes_before_images_and_those_before_batches() -> None:
    desk = Desk(offer())
    desk.submit(job(1), job(2, BATCH), job(3, IMAGE), job(4), job(5, IMAGE), job(6))
    assert desk.served(1) == [4, 6, 3, 5, 2]


def test_the_kinds_of_the_mcp_tools_keep_their_order() -> None:
    desk = Desk(offer())
    desk.submit(
        job(1),
        job(2, IMAGE, rank=Rank.IMG2TXT),
        job(3, IMAGE, rank=Rank.IMG2IMG),
        job(4, IMAGE, rank=Rank.TXT2IMG),
        job(5, TEXT),
    )
    assert desk.served(1) == [5, 4, 3, 2]


def test_a_client_with_many_jobs_takes_turns_with_one_that_has_one() -> None:
    desk = Desk(offer())
    desk.submit(*(job(n, client="many") for n in range(1, 21)))
    desk.submit(job(21, client="one"), job(22, client="one"))
    assert desk.served(1)[:5] == [21, 2, 22, 3, 4]


def test_a_client_whose_jobs_cost_more_has_fewer_of_them() -> None:
    desk = Desk(offer())
    desk.submit(job(1, client="other"))
    desk.submit(*(job(n, client="dear", cost=10.0) for n in range(2, 6)))
    desk.submit(*(job(n, client="cheap", cost=5.0) for n in range(6, 14)))
    assert desk.served(1) == [2, 6, 7, 3, 8, 9, 4, 10, 11, 5, 12, 13]


def test_jobs_that_were_cancelled_count_for_nothing() -> None:
    desk = Desk(offer())
    desk.submit(job(1), *(job(n, client="a") for n in range(2, 12)))
    for number in range(2, 11):
        assert desk.core.finish(number, JobEnd.CANCELLED, 0)
    desk.submit(job(12, client="b"))
    assert desk.served(1) == [11, 12]


def test_what_exceeds_the_bound_of_its_class_is_shed_and_told_when_to_come_again() -> None:
    desk = Desk(offer(), queued={TEXT: 4, IMAGE: 1, BATCH: 1}, share=1.0)
    desk.submit(*(job(n, client=str(n)) for n in range(1, 6)))
    assert desk.submit(job(6)) == [Over(6, JobEnd.SHED, retry_after_s=5)]
    assert desk.submit(job(7, IMAGE)) == [], "another class has a bound of its own"
    assert not desk.core.finish(6, JobEnd.DONE, 0)


def test_the_time_to_come_again_is_learnt_from_how_long_jobs_take() -> None:
    desk = Desk(offer(slots=2), queued={TEXT: 2, IMAGE: 1, BATCH: 1}, share=1.0)
    desk.submit(job(1))
    desk.now = 40 * S
    desk.done(1)
    desk.submit(job(2), job(3), job(4), job(5))
    (shed,) = desk.submit(job(6))
    assert shed == Over(6, JobEnd.SHED, retry_after_s=40 * 4 // 2 // 2)


def test_one_client_cannot_fill_the_whole_line() -> None:
    desk = Desk(offer(), queued={TEXT: 10, IMAGE: 1, BATCH: 1})
    effects = desk.submit(*(job(n, client="many") for n in range(1, 12)))
    assert sum(isinstance(effect, Over) for effect in effects) == 5
    assert desk.submit(job(20, client="one")) == []


def test_an_agent_that_answers_robots_keeps_its_last_slot_for_them() -> None:
    desk = Desk(offer(agent=AgentKind.PLANNER, slots=3, serves_turns=True))
    effects = desk.submit(*(job(n, agent=AgentKind.PLANNER) for n in range(1, 5)))
    assert started(effects) == [1, 2]
    plans = [job(n, JobClass.PLAN, agent=AgentKind.PLANNER) for n in (5, 6)]
    desk.offers = [offer(agent=AgentKind.PLANNER, slots=3, plan_slots=3, serves_turns=True)]
    assert desk.submit(*plans) == [Start(5, "vision-1"), Over(6, JobEnd.SHED, 1)]


def live(turns: int, slots: int = 2) -> Offer:
    return offer(agent=AgentKind.PLANNER, slots=slots, live=turns, serves_turns=True)


def chat(number: int, job_class: JobClass = BATCH, **more: Any) -> Job:
    return job(number, job_class, agent=AgentKind.PLANNER, **more)


def test_a_live_turn_takes_the_place_of_a_long_job_that_has_sent_nothing() -> None:
    desk = Desk(live(0))
    assert started(desk.submit(chat(1), chat(2))) == [1]
    desk.offers = [live(2)]
    assert desk.core.schedule(desk.offers, 0) == [Again(1)]
    desk.offers = [live(0)]
    assert started(desk.core.schedule(desk.offers, 0)) == [1], "it waits where it was"


@pytest.mark.parametrize("kept", [chat(1, TEXT), chat(1, BATCH)], ids=["short", "has_sent"])
def test_a_short_job_and_one_that_has_sent_something_keep_their_places(kept: Job) -> None:
    desk = Desk(live(0))
    desk.submit(kept)
    if kept.job_class is BATCH:
        desk.core.sent(1)
    assert desk.core.schedule([live(2)], 0) == []


def test_a_plan_takes_the_place_of_a_long_job_rather_than_be_refused() -> None:
    desk = Desk(live(0, slots=1))
    desk.submit(chat(1))
    plan = job(2, JobClass.PLAN, agent=AgentKind.PLANNER)
    assert desk.submit(plan) == [Again(1), Start(2, "vision-1")]
    assert desk.served(2) == [1]


def test_what_a_robots_turn_asks_takes_the_place_of_a_long_job_or_waits_before_all_others() -> None:
    desk = Desk(offer())
    desk.submit(job(1, BATCH), job(2))
    assert desk.submit(job(3, rank=Rank.LIVE)) == [Again(1), Start(3, "vision-1")]
    assert desk.submit(job(4, rank=Rank.LIVE)) == [], "what runs now is a robot's, too"
    desk.now = 31 * S
    assert desk.served(3) == [4, 1, 2], "the long one has waited for longest"


def test_a_job_that_lost_its_place_often_enough_keeps_it() -> None:
    desk = Desk(live(0, slots=1), requeues=2)
    desk.submit(chat(1))
    for number in (2, 3):
        desk.submit(job(number, JobClass.PLAN, agent=AgentKind.PLANNER))
        assert desk.done(number) == [1]
    plan = job(4, JobClass.PLAN, agent=AgentKind.PLANNER)
    assert desk.submit(plan) == [Over(4, JobEnd.SHED, 1)]


def test_a_job_whose_agent_is_lost_begins_anew_unless_something_was_sent() -> None:
    desk = Desk(offer(slots=3))
    desk.submit(job(1), job(2), job(3, JobClass.SPEECH))
    desk.core.sent(2)
    lost = desk.core.lost("vision-1", 0)
    assert lost == [Again(1), Over(2, JobEnd.FAILED), Over(3, JobEnd.FAILED)]
    assert desk.core.schedule([offer("vision-2")], 0) == [Start(1, "vision-2")]


def test_a_job_that_waits_beyond_its_deadline_ends() -> None:
    desk = Desk(offer())
    desk.submit(job(1), job(2, deadline_ns=5 * S), job(3))
    desk.now = 5 * S
    assert desk.core.expire(desk.now) == [Over(2, JobEnd.EXPIRED)]
    assert desk.served(1) == [3]


def test_a_line_that_has_waited_too_long_goes_first_once() -> None:
    desk = Desk(offer(), hunger_s=30)
    desk.submit(job(1), job(2, BATCH), job(3, BATCH), job(4), job(5), job(6))
    desk.now = 31 * S
    assert desk.done(1) == [2]
    assert desk.served(2) == [4, 5, 6, 3]


def test_a_limit_over_all_agents_holds_across_them() -> None:
    desk = Desk(offer(), offer("planner-1", agent=AgentKind.PLANNER), running=1)
    assert started(desk.submit(job(1, IMAGE), chat(2, TEXT), job(3, IMAGE), chat(4, TEXT))) == [1]
    assert desk.served(1) == [2, 4, 3]


def models(*held: str) -> list[Offer]:
    return [
        offer(f"vision-{n}", model=model, changes_model=True) for n, model in enumerate(held, 1)
    ]


def test_a_job_goes_to_the_agent_that_holds_its_model() -> None:
    desk = Desk(*models("a", "b"))
    assert desk.submit(job(1, model="b")) == [Start(1, "vision-2")]
    assert desk.submit(job(2, model="b")) == [], "nothing is changed while somebody holds it"


def test_a_model_is_changed_once_nobody_waits_for_the_held_one() -> None:
    desk = Desk(*models("a"))
    assert started(desk.submit(job(1, model="a"), job(2, model="b"), job(3, model="a"))) == [1]
    assert desk.done(1) == [3]
    assert desk.core.finish(3, JobEnd.DONE, 0)
    assert desk.core.schedule(desk.offers, 0) == [ChangeModel("vision-1", "b")]
    assert desk.submit(job(4, model="a")) == [], "it is being changed"
    desk.offers = models("b")
    assert desk.core.model_changed("vision-1", True, 0) == []
    assert started(desk.core.schedule(desk.offers, 0)) == [2]


def test_a_model_for_which_a_line_has_waited_too_long_is_loaded_all_the_same() -> None:
    desk = Desk(*models("a"), hunger_s=30)
    desk.submit(job(1, model="a"), job(2, model="a"), job(3, model="b"), job(4, model="a"))
    desk.now = 31 * S
    assert desk.done(1) == [2], "its line has waited as long, and it came before"
    assert desk.core.finish(2, JobEnd.DONE, desk.now)
    assert desk.core.schedule(desk.offers, desk.now) == [ChangeModel("vision-1", "b")]
    desk.offers = models("b")
    desk.now = 70 * S
    desk.core.model_changed("vision-1", True, desk.now)
    assert started(desk.core.schedule(desk.offers, desk.now)) == [3], "whoever else is hungry now"
    assert desk.core.finish(3, JobEnd.DONE, desk.now)
    assert desk.core.schedule(desk.offers, desk.now) == [ChangeModel("vision-1", "a")]


def test_a_model_that_cannot_be_loaded_fails_the_jobs_that_wait_for_it() -> None:
    desk = Desk(*models("a"))
    assert desk.submit(job(1, model="b")) == [ChangeModel("vision-1", "b")]
    assert desk.core.model_changed("vision-1", False, 0) == [Over(1, JobEnd.FAILED)]
    assert desk.submit(job(2, model="a")) == [Start(2, "vision-1")]


def test_two_agents_are_not_given_one_model_for_one_line() -> None:
    desk = Desk(*models("a", "c"))
    assert desk.submit(job(1, model="b"), job(2, model="b")) == [ChangeModel("vision-1", "b")]
