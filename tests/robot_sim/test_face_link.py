"""A host and a face on one wire: negotiation, restarts, lost bytes, mouth, touches, clock."""

import random
from collections.abc import Callable

import pytest

from protocols.codecs.face import encode_telemetry
from protocols.face import (
    GESTURES,
    MOODS,
    Button,
    ButtonPress,
    FaceTelemetry,
    Pressed,
    SetConversation,
    SetState,
    SetTalking,
    ShowGesture,
    Status,
    Touch,
    VersionAnswer,
)
from protocols.face_link import ASKS, FaceLink, News
from protocols.messages.face import Conversation
from robot_sim.face_mcu import BOOT_NS, INBOX, FaceMcu

MS = 1_000_000
HAPPY = SetState(MOODS.index("happy"), 204)
THINKING = SetConversation(list(Conversation).index(Conversation.THINKING))

Wire = Callable[[bytes], bytes]


def clean(data: bytes) -> bytes:
    return data


class Bench:
    """A face and its host, ten steps in a hundred milliseconds; ``up`` and ``down`` are the wire."""

    def __init__(self, up: Wire = clean, down: Wire = clean, drift_ppm: float = 0.0) -> None:
        self.now = 5_000 * MS
        self.up, self.down = up, down
        self.mcu = FaceMcu(self.now, drift_ppm)
        self.link = FaceLink()
        self.told: list[FaceTelemetry] = []
        self.link.opened(self.now)

    def run(self, ms: int) -> "Bench":
        for _ in range(ms // 10):
            self.now += 10 * MS
            self._write(self.link.advance(self.now))
            self._hear(self.mcu.advance(self.now))
        return self

    def tell(self, *commands: SetState | SetTalking | SetConversation | ShowGesture) -> "Bench":
        for command in commands:
            self._write(self.link.tell(command, self.now))
        return self

    def _write(self, news: News) -> None:
        self.told += news.told
        for frame in news.frames:
            self._hear(self.mcu.receive(self.down(frame), self.now))

    def _hear(self, data: bytes) -> None:
        if data:
            self._write(self.link.received(self.up(data), self.now))

    def told_of(self, kind: type) -> list[FaceTelemetry]:
        return [one for one in self.told if isinstance(one, kind)]


def lossy(share: float, seed: int) -> Wire:
    numbers = random.Random(seed)
    return lambda data: bytes(byte for byte in data if numbers.random() >= share)


def test_the_newest_version_is_agreed_on_after_the_boot_text() -> None:
    bench = Bench().run(900)
    assert (bench.link.version, bench.mcu.version) == (2, 2)
    assert bench.link.connected
    assert isinstance(bench.link.status, Status)
    assert bench.link.status.applied_seq > 0, "version 2 tells which command was applied"


def test_what_the_face_is_to_show_is_told_once_the_port_is_open() -> None:
    bench = Bench()
    bench.link.closed()
    bench.tell(HAPPY, THINKING)
    bench.link.opened(bench.now)
    bench.run(900)
    assert (bench.mcu.face.emotion, bench.mcu.face.conversation) == ("happy", "thinking")
    assert bench.mcu.face.intensity == pytest.approx(0.8)


def test_the_same_is_not_told_twice() -> None:
    bench = Bench().run(900)
    assert bench.link.tell(HAPPY, bench.now).frames
    assert bench.link.tell(HAPPY, bench.now) == News()


def test_a_face_that_starts_anew_gets_everything_again() -> None:
    bench = Bench().run(900).tell(HAPPY, THINKING).run(100)
    bench.mcu.restart(bench.now)
    assert bench.mcu.face.emotion == "neutral"
    bench.run(1_500)
    assert bench.link.counters["face.started_anew"] == 1
    assert (bench.link.version, bench.mcu.version) == (2, 2)
    assert (bench.mcu.face.emotion, bench.mcu.face.conversation) == ("happy", "thinking")


def test_a_restart_is_noticed_by_the_uptime_where_the_version_does_not_tell() -> None:
    bench = Bench()
    bench.mcu.version = 1
    bench.down = lambda frame: b"" if frame[1:2] == b"\x07" or frame[2:3] == b"\x07" else frame
    bench.run(4_000).tell(HAPPY).run(2_000)
    bench.mcu.restart(bench.now)
    bench.run(2_500)
    assert bench.link.counters["face.started_anew"] == 1
    assert bench.mcu.face.emotion == "happy"


def test_an_old_firmware_that_never_answers_is_spoken_to_in_version_1() -> None:
    bench = Bench(up=lambda data: b"")
    bench.tell(HAPPY).run(ASKS * 500 + 400)
    assert bench.link.version == 1
    assert bench.link.counters["face.no_version_answer"] == 1
    assert bench.mcu.face.emotion == "happy"


def test_an_answer_in_the_old_envelope_counts_as_well() -> None:
    link = FaceLink()
    link.opened(0)
    link.received(encode_telemetry(VersionAnswer(2), 0, version=1), 300 * MS)
    assert link.version == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_handshake_survives_lost_bytes(seed: int) -> None:
    bench = Bench(up=lossy(0.02, seed), down=lossy(0.02, seed + 100))
    bench.tell(HAPPY, THINKING).run(1_000)
    bench.mcu.restart(bench.now)
    bench.up = bench.down = clean
    bench.run(13_000)
    assert (bench.link.version, bench.mcu.version) == (2, 2)
    assert (bench.mcu.face.emotion, bench.mcu.face.conversation) == ("happy", "thinking")


def test_the_mouth_is_kept_moving_and_closes_by_itself() -> None:
    bench = Bench().run(900).tell(SetTalking(True, 180)).run(2_000)
    assert bench.mcu.face.talking
    bench.down = lambda frame: b""
    bench.run(460)
    assert bench.mcu.face.talking is False
    assert bench.mcu.face.energy == 0


def test_the_mouth_closes_at_once_when_told() -> None:
    bench = Bench().run(900).tell(SetTalking(True, 180)).run(50).tell(SetTalking(False)).run(10)
    assert bench.mcu.face.talking is False


def test_a_gesture_is_shown_once_and_not_kept_for_a_face_that_is_away() -> None:
    nod = ShowGesture(GESTURES.index("nod"), 350)
    bench = Bench().run(900).tell(nod).run(20)
    assert bench.mcu.face.gesture == "nod"
    bench.link.closed()
    assert bench.link.tell(nod, bench.now) == News()
    assert bench.link.counters["gestures.no_face"] == 1


def test_the_inbox_of_the_face_holds_so_many_frames() -> None:
    bench = Bench().run(900)
    for number in range(INBOX + 3):
        bench.tell(SetState(1, number))
    assert bench.mcu.counters["frames.inbox_full"] == 3
    bench.run(10)
    assert bench.mcu.face.intensity == pytest.approx((INBOX - 1) / 255)


def test_a_quick_tap_loses_what_the_mailbox_cannot_hold() -> None:
    bench = Bench().run(900)
    bench.mcu.touch(10, 220, bench.now)
    bench.mcu.lift(10, 220, bench.now)
    bench.run(100)
    assert bench.told_of(ButtonPress) == [ButtonPress(Button.PTT, Pressed.TOGGLE, True)]
    assert bench.told_of(Touch) == []
    assert bench.mcu.counters["touches.lost"] == 4


def test_a_slow_tap_is_told_press_by_press() -> None:
    bench = Bench().run(900)
    bench.mcu.touch(160, 100, bench.now)
    bench.run(100)
    bench.mcu.lift(160, 100, bench.now)
    bench.run(100)
    assert bench.told_of(Touch) == [Touch(0, 160, 100), Touch(1, 160, 100)]


def test_the_clock_of_the_face_is_known_within_the_way_there_and_back() -> None:
    bench = Bench(drift_ppm=50).run(3_000)
    reading = bench.link.reading
    assert reading is not None
    truth_ns = bench.mcu.clock_us(bench.now) * 1_000 - bench.now
    assert abs(reading.offset_ns - truth_ns) <= reading.rtt_ns + 1 * MS


def test_a_port_that_is_open_and_silent_is_noticed() -> None:
    bench = Bench().run(900)
    bench.up = lambda data: b""
    bench.run(2_900)
    assert bench.link.gone_silent(bench.now) is False
    bench.run(300)
    assert bench.link.gone_silent(bench.now)


def test_a_face_that_boots_hears_nothing() -> None:
    mcu = FaceMcu(0)
    assert mcu.receive(b"anything\0", BOOT_NS - 1) == b""
    assert mcu.counters["bytes.while_booting"] == 9


def test_values_nobody_knows_change_nothing() -> None:
    bench = Bench().run(900).tell(SetState(99), SetConversation(99), ShowGesture(99)).run(20)
    assert (bench.mcu.face.emotion, bench.mcu.face.conversation) == ("neutral", "idle")
    assert bench.mcu.counters["commands.unknown_value"] == 2
