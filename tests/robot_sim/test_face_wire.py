"""A supervisor, the wire to its face and the microcontroller at its end, in virtual time."""

import random
from itertools import pairwise

import pytest

from protocols.face import SCREEN_WIDTH
from protocols.face_host import FaceHost
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    AttentionRequest,
    Cancel,
    Capabilities,
    Emotion,
    Face,
    Flush,
    FromRobot,
    Gestures,
    Hold,
    Release,
    SpeechFrame,
    ToRobot,
)
from protocols.messages.session import Attention
from robot_sim.body import Standing
from robot_sim.events import Happening
from robot_sim.face_mcu import FaceMcu
from robot_sim.face_wire import FaceWire
from robot_sim.speaker import Speaker
from robot_sim.supervisor import Supervisor

MS = 1_000_000
RATE_HZ = 16_000
FRAME_MS = 20
PTT, ACTION = (20, 220), (SCREEN_WIDTH - 20, 220)


class Bench:
    """The supervisor takes a step every 20 ms, the microcontroller looks every ``loop_ms``; bytes
    take up to ``wire_ms``, drawn anew for each write."""

    def __init__(
        self, *, lag_ms: int = 0, loop_ms: int = 10, wire_ms: int = 3, seed: int = 1
    ) -> None:
        self.now_ms = 5_000
        self.noticed: list[Happening] = []
        self.said: list[FromRobot] = []
        self.mouth: list[tuple[int, int]] = []
        """When the mouth changed, in ms, and to what; -1 is closed."""
        self.mcu = FaceMcu(self.now_ms * MS)
        self._gestures: list[str] = [""]
        self._random = random.Random(seed)
        self._loop_ms, self._wire_ms = loop_ms, wire_ms
        self._down: list[tuple[float, bytes]] = []
        self._up: list[tuple[float, bytes]] = []
        self.wire = FaceWire(self._write, lag_ms * MS)
        self.body = Standing("r1")
        self.speaker = Speaker(RATE_HZ, self.now_ms * MS)
        self.supervisor = Supervisor(
            "r1", Capabilities(), self.speaker, self.noticed.append, self.body, self.wire
        )
        self.supervisor.face_opened(self.now_ms * MS)
        self.run(1_000)

    @property
    def now_ns(self) -> int:
        return self.now_ms * MS

    def tell(self, *messages: ToRobot) -> "Bench":
        for message in messages:
            self.said += self.supervisor.on_message(message, self.now_ns)
        return self

    def speak(self, turn: int, energies: list[int]) -> "Bench":
        """All frames at once, as a hub that is ahead of the loudspeaker sends them."""
        samples = RATE_HZ * FRAME_MS // 1000
        for number, energy in enumerate(energies):
            header = SpeechFrame(
                epoch=1, turn=turn, first_sample=number * samples, samples=samples, energy=energy
            )
            self.supervisor.on_speech(header, bytes(2 * samples), self.now_ns)
        return self

    def run(self, ms: int) -> "Bench":
        for _ in range(ms):
            self.now_ms += 1
            if self.now_ms % FRAME_MS == 0:
                self.said += self.supervisor.advance(self.now_ns)
            for _, data in self._arrived(self._down):
                self._answer(self.mcu.receive(data, self.now_ns))
            if self.now_ms % self._loop_ms == 0:
                self._answer(self.mcu.advance(self.now_ns))
            for _, data in self._arrived(self._up):
                self.said += self.supervisor.on_face(data, self.now_ns)
            self._watch()
        return self

    def tap(self, where: tuple[int, int], down_ms: int = 120) -> "Bench":
        self.mcu.touch(*where, self.now_ns)
        self.run(down_ms)
        self.mcu.lift(*where, self.now_ns)
        return self.run(120)

    def gestures(self) -> list[str]:
        """What the face has shown of them, in order."""
        return [name for name in self._gestures if name]

    def attention(self) -> list[AttentionRequest]:
        return [message for message in self.said if isinstance(message, AttentionRequest)]

    def _write(self, data: bytes) -> None:
        self._down.append((self.now_ms + self._random.uniform(0, self._wire_ms), data))

    def _answer(self, data: bytes) -> None:
        if data:
            self._up.append((self.now_ms + self._random.uniform(0, self._wire_ms), data))

    def _arrived(self, wire: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
        come = []
        while wire and wire[0][0] <= self.now_ms:
            come.append(wire.pop(0))
        return come

    def _watch(self) -> None:
        face = self.mcu.face
        if face.gesture != self._gestures[-1]:
            self._gestures.append(face.gesture)
        state = face.energy if face.talking else -1
        if not self.mouth or self.mouth[-1][1] != state:
            self.mouth.append((self.now_ms, state))


def skews_ms(bench: Bench, begun_ms: int, energies: list[int], lag_ms: int = 0) -> list[float]:
    """How far the mouth was from the loudspeaker, every millisecond: the frame that sounds, against
    the frame whose energy the mouth shows. Energies rise, so each names its frame."""
    skews = []
    for at_ms in range(begun_ms, begun_ms + len(energies) * FRAME_MS + lag_ms):
        sounding = at_ms - begun_ms - lag_ms
        shown = [state for when, state in bench.mouth if when <= at_ms and when >= begun_ms]
        if shown and shown[-1] >= 0 and sounding >= 0:
            first_ms = energies.index(shown[-1]) * FRAME_MS
            outside = max(first_ms - sounding, sounding - (first_ms + FRAME_MS), 0)
            skews.append(float(outside))
    return skews


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * len(values)))]


def test_the_face_on_the_wire_shows_what_the_hub_says() -> None:
    bench = Bench().tell(
        Emotion(turn=1, emotion="happy", intensity=0.8),
        Face(conversation=Conversation.THINKING),
        Gestures(turn=1, names=("nod", "blink", "spin")),
    )
    bench.run(1_000)
    face = bench.mcu.face
    assert (face.emotion, face.conversation) == ("happy", "thinking")
    assert abs(face.intensity - 0.8) < 0.01
    assert bench.mcu.gaze == (64, -38)
    assert bench.gestures() == ["blink", "nod", "blink"], "its own blinks come first"
    assert bench.mcu.version == 2


def test_a_mood_gives_way_with_a_blink_and_fades_and_the_next_one_rises() -> None:
    bench = Bench().tell(Emotion(turn=1, emotion="happy", intensity=1.0))
    begun_ms, face = bench.now_ms, bench.mcu.face
    shown = [(bench.run(10).now_ms - begun_ms, face.emotion, face.intensity) for _ in range(60)]
    fading = [(at_ms, now) for at_ms, mood, now in shown if mood == "neutral"]
    rising = [(at_ms, now) for at_ms, mood, now in shown if mood == "happy"]
    assert bench.gestures() == ["blink"]
    assert fading[0][1] == pytest.approx(0.5, abs=0.01)
    assert fading[-1][1] < 0.1, "the old mood is gone before the next one comes"
    assert 220 <= rising[0][0] <= 300
    assert rising[0][1] < 0.2
    assert next(at_ms for at_ms, now in rising if now == 1.0) <= 500
    strengths = [now for _, now in fading]
    assert strengths == sorted(strengths, reverse=True)
    assert [now for _, now in rising] == sorted(now for _, now in rising)


def test_who_has_been_listened_to_is_nodded_at_and_the_eyes_go_where_thoughts_are() -> None:
    bench = Bench().tell(Face(conversation=Conversation.LISTENING)).run(500)
    bench.tell(Face(conversation=Conversation.THINKING)).run(40)
    assert bench.mcu.face.conversation == "thinking", "the state itself is shown at once"
    assert 0 < bench.mcu.gaze[0] < 30
    bench.run(600)
    assert bench.mcu.gaze == (64, -38)
    assert bench.gestures() == ["blink", "blink", "nod"]
    bench.tell(Face(conversation=Conversation.SPEAKING)).run(400)
    assert bench.mcu.gaze == (0, 0)


def test_a_face_in_the_middle_of_a_change_that_starts_anew_arrives_all_the_same() -> None:
    bench = Bench().tell(Emotion(turn=1, emotion="sad", intensity=0.7)).run(200)
    bench.mcu.restart(bench.now_ns)
    bench.run(2_000)
    assert (bench.mcu.face.emotion, round(bench.mcu.face.intensity, 1)) == ("sad", 0.7)


def test_the_mouth_follows_the_playhead_within_forty_milliseconds() -> None:
    energies = list(range(1, 251))
    skews: list[float] = []
    for seed in range(5):
        bench = Bench(seed=seed)
        begun_ms = bench.now_ms
        bench.speak(1, energies).run(5_000)
        skews += skews_ms(bench, begun_ms, energies)
    assert len(skews) > 20_000
    assert percentile(skews, 0.95) <= 40
    assert percentile(skews, 0.5) <= 20


def test_the_mouth_waits_as_long_as_the_loudspeaker_lags() -> None:
    energies = list(range(1, 101))
    bench = Bench(lag_ms=120)
    begun_ms = bench.now_ms
    bench.speak(1, energies).run(2_100)
    assert percentile(skews_ms(bench, begun_ms, energies, lag_ms=120), 0.95) <= 40


def test_energy_is_told_at_least_five_times_a_second_while_speech_plays() -> None:
    bench = Bench()
    told: list[int] = []
    write = bench.wire._write

    def counting(data: bytes) -> None:
        told.append(bench.now_ms)
        write(data)

    bench.wire._write = counting
    bench.speak(1, [90] * 100).run(2_000)  # one loudness all the time: nothing changes
    assert max(later - sooner for sooner, later in pairwise(told)) <= 200
    assert bench.mouth[-1][1] >= 0


def test_the_mouth_is_closed_within_fifty_milliseconds_of_an_interruption() -> None:
    for at_ms in range(400, 440):  # at every moment of the supervisor's and the face's loops
        for lag_ms in (0, 150):
            bench = Bench(lag_ms=lag_ms, seed=at_ms).speak(1, [80] * 100).run(at_ms)
            assert bench.mouth[-1][1] == 80
            bench.tell(Flush(epoch=1, turn=1))
            cut_ms = bench.now_ms
            bench.run(1_000)
            assert bench.mouth[-1][1] == -1
            assert bench.mouth[-1][0] - cut_ms <= 50


def test_gestures_of_a_turn_that_was_flushed_are_not_shown() -> None:
    bench = Bench().tell(
        Gestures(turn=1, names=("nod", "laugh")), Gestures(turn=2, names=("heart",))
    )
    bench.run(100).tell(Flush(epoch=1, turn=1))
    shown = {bench.run(10).mcu.face.gesture for _ in range(100)}
    assert shown - {""} == {"nod", "heart"}
    assert bench.supervisor.face.counters["given_up_gesture"] == 1


def test_a_mouth_that_is_held_closes_and_opens_again_when_released() -> None:
    bench = Bench().speak(1, [80] * 100).run(300).tell(Hold(turn=1))
    assert bench.run(50).mouth[-1][1] == -1
    assert bench.run(400).tell(Release(turn=1)).run(60).mouth[-1][1] == 80


def test_the_mouth_closes_when_the_response_is_over_or_the_voice_runs_dry() -> None:
    bench = Bench().speak(1, [80] * 20).run(600)
    assert bench.mouth[-1][1] == -1
    assert bench.mouth[-1][0] <= 6_000 + 400 + 50


def test_after_a_suspend_the_face_says_nothing_old() -> None:
    bench = Bench().speak(1, [80] * 500).tell(Gestures(turn=1, names=("nod", "laugh"))).run(300)
    assert bench.mcu.face.gesture == "nod"
    bench.now_ms += 3_600_000
    bench.said += bench.supervisor.jumped(bench.now_ns)
    woken_ms = bench.now_ms
    for _ in range(200):
        bench.run(10)
        assert bench.mcu.face.gesture != "laugh"
    assert [state for when, state in bench.mouth if when > woken_ms + 50] == []
    assert bench.mouth[-1][1] == -1


def test_a_tap_on_push_to_talk_holds_attention_and_the_next_lets_go() -> None:
    bench = Bench().tap(PTT)
    assert bench.attention() == [AttentionRequest(attention=Attention.PUSH_TO_TALK, held=True)]
    bench.tap(PTT)
    assert bench.attention()[1:] == [
        AttentionRequest(attention=Attention.PUSH_TO_TALK, held=False),
    ]


def test_a_tap_counts_though_the_latch_of_the_face_was_left_on() -> None:
    bench = Bench().tap(PTT)
    bench.supervisor.unlinked()  # the hub knows of no push-to-talk any more, the face does
    assert bench.mcu.listening
    bench.said.clear()
    bench.tap(PTT)
    assert bench.mcu.listening is False
    assert bench.attention() == [AttentionRequest(attention=Attention.PUSH_TO_TALK, held=True)]


def test_a_tap_too_quick_for_the_mailbox_counts_once() -> None:
    bench = Bench().tap(PTT, down_ms=1)
    assert bench.attention() == [AttentionRequest(attention=Attention.PUSH_TO_TALK, held=True)]


def test_a_face_that_starts_anew_or_goes_away_lets_go_of_the_button() -> None:
    for lose in (
        lambda bench: bench.mcu.restart(bench.now_ns),
        lambda bench: bench.said.extend(bench.supervisor.face_closed()),
    ):
        bench = Bench().tap(PTT)
        lose(bench)
        bench.run(1_500)
        assert bench.attention()[1].held is False


def test_action_stops_a_conversation_and_is_an_event_outside_of_one() -> None:
    bench = Bench().tap(ACTION)
    assert [m for m in bench.said if isinstance(m, Cancel)] == []
    events = bench.body.state(0, talking=False, listening=False)["recent_events"]
    assert "face.button.click" in events
    bench.tell(Face(conversation=Conversation.SPEAKING)).tap(ACTION)
    assert [m for m in bench.said if isinstance(m, Cancel)] == [Cancel()]


def test_a_touch_is_an_event_of_the_world() -> None:
    bench = Bench().tap((160, 100))
    events = bench.body.state(0, talking=False, listening=False)["recent_events"]
    assert events == ["face.touch.press", "face.touch.release"]


def test_a_face_that_restarts_shows_everything_again() -> None:
    bench = Bench().tell(
        Emotion(turn=1, emotion="sad", intensity=1.0), Face(conversation=Conversation.LISTENING)
    )
    bench.run(100).mcu.restart(bench.now_ns)
    bench.run(2_000)
    assert (bench.mcu.face.emotion, bench.mcu.face.conversation) == ("sad", "listening")


def test_whatever_comes_from_the_port_is_survived() -> None:
    noise, bench = random.Random(3), Bench()
    for _ in range(500):
        bench.supervisor.on_face(noise.randbytes(noise.randrange(64)), bench.now_ns)
    bench.tell(Emotion(turn=1, emotion="love", intensity=1.0)).run(1_500)
    assert bench.mcu.face.emotion == "love"


def test_a_gesture_that_a_face_has_not_and_a_feeling_it_does_not_know_harm_nothing() -> None:
    host = FaceHost()
    host.opened(0)
    assert host.gesture("spin", 0).frames == ()
    assert host.link.counters["gestures.unknown"] == 1
    assert host.show("jealous", 0.5, 0).frames
