"""The control ledger: every fact once, every robot's sequence without a gap, the past bounded."""

from hypothesis import given
from hypothesis import strategies as st

from hub.broker.ledger import Ledger
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentHealth, AgentHeartbeat, AgentKind, AgentState
from protocols.messages.face import AffectChanged, Conversation, FaceChanged
from protocols.messages.voice import VoiceStarted


def fact(
    number: int, robot: str = "robot1", src: str = "ears", body: Message | None = None
) -> AnyEnvelope:
    body = body or VoiceStarted(utterance=number, first_sample=number)
    return Envelope(id=number, robot=robot, src=src, body=body)


def face(number: int, emotion: str) -> AnyEnvelope:
    return fact(number, body=FaceChanged(conversation=Conversation.IDLE, emotion=emotion))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans())))
def test_every_robots_sequence_is_gapless_and_repeats_enter_once(
    steps: list[tuple[str, str, bool]],
) -> None:
    ledger, ids = Ledger(boot=4), dict.fromkeys("ab", 0)
    accepted: dict[str, list[AnyEnvelope]] = {robot: [] for robot in "xyz"}
    for src, robot, again in steps:
        repeat = again and ids[src] > 0
        ids[src] += not repeat
        envelope = fact(ids[src], robot, src)
        assert ledger.accept(envelope, 10, now_ns=7) is not repeat
        if not repeat:
            accepted[robot].append(envelope)
    for robot, facts in accepted.items():
        assert [(e.boot, e.order) for e in facts] == [(4, n + 1) for n in range(len(facts))]
        assert ledger.order(robot) == len(facts)
        for after in range(len(facts) + 1):
            assert ledger.replay(robot, 4, after) == tuple(facts[after:])


def test_arrival_is_stamped_by_the_hubs_clock() -> None:
    envelope = fact(1)
    Ledger(boot=1).accept(envelope, 10, now_ns=123)
    assert envelope.t_hub_ns == 123


def test_the_ring_is_bounded_by_bytes_and_by_number() -> None:
    by_bytes, by_number = Ledger(1, ring_bytes=30), Ledger(1, ring_messages=3)
    for ledger in (by_bytes, by_number):
        for number in range(1, 11):
            ledger.accept(fact(number), 10, now_ns=0)
        assert ledger.replay("robot1", 1, 6) is None
        held = ledger.replay("robot1", 1, 7)
        assert held is not None
        assert [e.order for e in held] == [8, 9, 10]


def test_a_fact_larger_than_the_ring_is_numbered_but_not_held() -> None:
    ledger = Ledger(1, ring_bytes=30)
    ledger.accept(fact(1), 100, now_ns=0)
    assert ledger.order("robot1") == 1
    assert ledger.replay("robot1", 1, 0) is None
    assert ledger.replay("robot1", 1, 1) == ()


def test_nothing_is_replayed_to_who_claims_to_have_seen_the_future_or_another_boot() -> None:
    ledger = Ledger(2)
    ledger.accept(fact(1), 10, now_ns=0)
    assert ledger.replay("robot1", 2, 5) is None
    assert ledger.replay("robot1", 2, -1) is None
    assert ledger.replay("robot1", 1, 1) is None
    assert ledger.replay("stranger", 2, 0) == ()


def test_a_snapshot_holds_the_last_value_of_each_state() -> None:
    ledger = Ledger(1)
    for number, emotion in enumerate(("sad", "happy"), start=1):
        ledger.accept(face(number, emotion), 10, now_ns=0)
    ledger.accept(fact(3, body=AffectChanged(emotion="sad", intensity=1.0)), 10, now_ns=0)
    snapshot = ledger.snapshot("robot1")
    assert (snapshot.order, [v.body for v in snapshot.values]) == (3, [face(2, "happy").body])


def test_each_agents_health_is_a_value_of_its_own() -> None:
    ledger = Ledger(1)

    def health(number: int, role: str, state: AgentState) -> AnyEnvelope:
        return fact(number, "", body=AgentHealth(kind=AgentKind.PLANNER, role=role, state=state))

    ledger.accept(health(1, "primary", AgentState.LOADING), 10, now_ns=0)
    ledger.accept(health(2, "reflex", AgentState.READY), 10, now_ns=0)
    ledger.accept(health(3, "primary", AgentState.READY), 10, now_ns=0)
    bodies = [v.body for v in ledger.snapshot("").values]
    assert bodies == [
        AgentHealth(kind=AgentKind.PLANNER, role=role, state=AgentState.READY)
        for role in ("primary", "reflex")
    ]


def test_telemetry_is_taken_in_without_a_number() -> None:
    ledger, beat = Ledger(1), fact(1, "", body=AgentHeartbeat())
    assert ledger.accept(beat, 10, now_ns=0)
    assert not ledger.accept(fact(1, "", body=AgentHeartbeat()), 10, now_ns=0)
    assert (beat.order, ledger.order("")) == (0, 0)
    assert ledger.duplicates == 1


def test_a_new_process_under_an_old_name_is_not_taken_for_a_repeat() -> None:
    ledger = Ledger(1)
    ledger.accept(fact(9), 10, now_ns=0)
    ledger.forget_source("ears")
    assert ledger.accept(fact(1), 10, now_ns=0)


def test_the_numbers_of_a_robot_go_on_after_its_past_is_forgotten() -> None:
    ledger = Ledger(1, max_rings=1)
    ledger.accept(fact(1, "robot1"), 10, now_ns=0)
    ledger.accept(fact(2, "robot2"), 10, now_ns=0)
    assert ledger.replay("robot1", 1, 0) is None, "its ring made room for robot2's"
    ledger.forget_robot("robot2")
    assert ledger.replay("robot2", 1, 0) is None
    again = fact(3, "robot2")
    ledger.accept(again, 10, now_ns=0)
    assert again.order == 2


def test_who_registers_again_is_known_and_another_process_of_the_name_is_not() -> None:
    ledger = Ledger(boot=1)
    ledger.meet("ears", 77)
    assert ledger.accept(fact(5), 10, 0)
    ledger.meet("ears", 77)
    assert not ledger.accept(fact(5), 10, 0), "its acknowledgement was lost with the socket"
    ledger.meet("ears", 78)
    assert ledger.accept(fact(1), 10, 0)
