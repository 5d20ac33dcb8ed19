"""Where a job may run: room at agents, what is kept free for robots, whose model is changed. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from hub.jobs.job import Job, JobClass, Offer
from hub.jobs.lines import Head, is_hungry

Running = Mapping[str, Sequence[Job]]
"""The jobs that run, by instance."""


def fits(offer: Offer, job: Job) -> bool:
    """Whether the agent can do ``job`` with the model it holds."""
    return _is_asked(offer, job) and job.model in ("", offer.model)


def could(offer: Offer, job: Job) -> bool:
    """Whether it can do ``job``, with another model if it must be."""
    return fits(offer, job) or (_is_asked(offer, job) and offer.changes_model)


def room(offer: Offer, job_class: JobClass, running: Running) -> int:
    """How many more jobs of a class the agent takes. Robots' turns have theirs before any that
    may wait."""
    here = running.get(offer.instance, ())
    free = offer.slots - len(here)
    match job_class:
        case JobClass.SPEECH:
            return free
        case JobClass.PLAN:
            plans = sum(job.job_class is JobClass.PLAN for job in here)
            return min(free, offer.plan_slots - plans)
        case _:
            kept = 1 if offer.serves_turns and offer.slots > 1 else 0
            return free - max(offer.live, kept)


def place(job: Job, offers: Iterable[Offer], running: Running) -> Offer | None:
    """The agent with the most room that takes ``job`` now."""
    able = [o for o in offers if fits(o, job) and room(o, job.job_class, running) > 0]
    return min(able, key=lambda o: _fullness(o, running), default=None)


def claims(
    heads: Sequence[Head], offers: Sequence[Offer], running: Running, coming: Collection[str] = ()
) -> dict[str, tuple[str, bool]]:
    """Instances whose model is to be changed: to which, and whether they are idle enough for it.

    ``offers`` are those that may be changed at all, ``coming`` models that are being loaded
    already. A model is changed only for jobs that no instance can do as it is, and not while jobs
    for the held one wait that go before them or beside them; a line that has waited too long
    gives way only to those before it. An instance that is claimed begins nothing else.
    """
    claimed: dict[str, tuple[str, bool]] = {}
    for place, head in enumerate(heads):
        asked = {*coming, *(model for model, _ in claimed.values())}
        if head.key.model in asked or any(fits(offer, head.job) for offer in offers):
            continue
        before = heads[:place] if is_hungry(head) else heads
        able = [
            offer
            for offer in offers
            if could(offer, head.job)
            and offer.instance not in claimed
            and not _is_wanted(offer, head, before)
        ]
        if able:
            chosen = min(able, key=lambda o: _fullness(o, running))
            idle = not running.get(chosen.instance) and not chosen.live
            claimed[chosen.instance] = (head.key.model, idle)
    return claimed


def _is_asked(offer: Offer, job: Job) -> bool:
    return offer.agent is job.agent and offer.role == job.role


def _is_wanted(offer: Offer, head: Head, others: Sequence[Head]) -> bool:
    """Whether ``others`` wait for the model it holds that need not make room for ``head``."""
    claim = head.key.job_class, head.key.rank
    return any(
        fits(offer, other.job)
        and (is_hungry(head) or (other.key.job_class, other.key.rank) <= claim)
        for other in others
    )


def _fullness(offer: Offer, running: Running) -> tuple[float, float]:
    return len(running.get(offer.instance, ())) / max(1, offer.slots), offer.load
