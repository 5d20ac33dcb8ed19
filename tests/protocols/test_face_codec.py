"""The face protocol: vectors of existing firmware, its two envelopes, and whatever else comes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codecs.face import (
    FaceReader,
    encode_command,
    encode_telemetry,
    read_command,
    read_telemetry,
)
from protocols.codecs.serial import (
    MAX_FRAME_BYTES,
    Deframer,
    Packet,
    encode_packet,
    unstuff,
)
from protocols.errors import FrameTooLarge, MalformedFrame
from protocols.face import (
    GESTURES,
    MOODS,
    NO_GESTURE,
    Button,
    ButtonPress,
    ClockAnswer,
    FaceCommand,
    FaceTelemetry,
    Heartbeat,
    Pressed,
    SetConversation,
    SetFlags,
    SetState,
    SetSystem,
    SetTalking,
    SetVersion,
    ShowGesture,
    Status,
    System,
    Telemetry,
    TimeSync,
    Touch,
    Touched,
    UnknownLayout,
    VersionAnswer,
)
from protocols.messages.face import Conversation
from protocols.vocabulary import EMOTIONS, FACE_GESTURES
from tests.protocols.face_streams import survived

LISTENING = list(Conversation).index(Conversation.LISTENING)

COMMANDS: list[tuple[str, FaceCommand, int, int, int]] = [
    ("0a200103cc3fdac8e08300", SetState(3, 204, 63, -38, 200), 1, 1, 0),
    ("0821020a5e01d1a400", ShowGesture(GESTURES.index("nod"), 350), 2, 1, 0),
    ("04220303044073d700", SetSystem(System.LOW_BATTERY, 64), 3, 1, 0),
    ("07230401b4fc2000", SetTalking(True, 180), 4, 1, 0),
    ("0323050103a2c300", SetTalking(False, 0), 5, 1, 0),
    ("0624067f44b300", SetFlags(0x7F), 6, 1, 0),
    ("062507027f1800", SetConversation(LISTENING), 7, 1, 0),
    ("020704024e6900", SetVersion(2), 0, 1, 0),
    ("0406080101010101010103aafc00", TimeSync(1), 8, 1, 0),
    ("03060801010101010101010101020101010101010103c51100", TimeSync(1), 8, 2, 0),
]
TELEMETRY: list[tuple[str, FaceTelemetry, int, int, int]] = [
    ("05900901ff04025df100", Status(1, NO_GESTURE, 0, False, True, False), 9, 1, 0),
    (
        "03900501010440420f010101010102ff01020701010209010103f2f400",
        Status(0, NO_GESTURE, 0, False, False, False, applied_seq=7, applied_us=9),
        5,
        2,
        1_000_000,
    ),
    ("03910a02a0027803a93800", Touch(Touched.PRESS, 160, 120), 10, 1, 0),
    ("03920b030201035afa00", ButtonPress(Button.PTT, Pressed.TOGGLE, True), 11, 1, 0),
    ("05920c010301033bef00", ButtonPress(Button.ACTION, Pressed.CLICK, False), 12, 1, 0),
]
GOLDEN_ACK = bytes.fromhex("028701010103881301010101010402dccd00")
GOLDEN_CLOCK = bytes.fromhex("0386010101037017010101010102010101037017010101010103e77500")

u8 = st.integers(0, 255)
u32 = st.integers(0, 0xFFFF_FFFF)
us = st.integers(0, 2**64 - 1)
commands = st.one_of(
    st.builds(TimeSync, u32),
    st.builds(SetState, u8, u8, st.integers(-127, 127), st.integers(-127, 127), u8),
    st.builds(ShowGesture, u8, st.integers(0, 0xFFFF)),
    st.builds(SetSystem, u8, u8, u8),
    st.builds(SetTalking, st.booleans(), u8),
    st.builds(SetFlags, st.integers(0, 0x7F)),
    st.builds(SetConversation, u8),
)
flags = (st.booleans(), st.booleans(), st.booleans())
told_in_1 = st.one_of(
    st.builds(ClockAnswer, u32, us),
    st.builds(VersionAnswer, u8),
    st.builds(Status, u8, u8, u8, *flags, st.just(-1), st.just(0)),
    st.builds(Touch, u8, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)),
    st.builds(ButtonPress, u8, u8, st.booleans()),
    st.builds(Heartbeat, u32, u32, u32, u32, st.booleans(), st.none()),
)


def test_moods_and_gestures_are_those_of_the_vocabulary() -> None:
    assert set(MOODS) == set(EMOTIONS)
    assert set(GESTURES) == set(FACE_GESTURES)


@pytest.mark.parametrize(("frame", "command", "seq", "version", "at_us"), COMMANDS)
def test_a_command_is_written_as_existing_hosts_write_it(
    frame: str, command: FaceCommand, seq: int, version: int, at_us: int
) -> None:
    written = encode_command(command, seq, version, at_us)
    assert written.hex() == frame
    assert read_command(written[:-1], version) == (command, seq)


@pytest.mark.parametrize(("frame", "told", "seq", "version", "at_us"), TELEMETRY)
def test_what_existing_firmware_tells_is_understood(
    frame: str, told: FaceTelemetry, seq: int, version: int, at_us: int
) -> None:
    data = bytes.fromhex(frame)
    read = read_telemetry(data[:-1])
    assert read is not None
    assert read[0] == told
    assert (read[1].seq, read[1].version, read[1].t_src_us) == (seq, version, at_us)
    assert encode_telemetry(told, seq, version, at_us) == data


def test_the_answer_to_a_version_is_understood_in_its_new_envelope_and_in_the_old() -> None:
    new = read_telemetry(GOLDEN_ACK[:-1])
    assert new is not None
    assert new == (VersionAnswer(2), Packet(Telemetry.VERSION, b"\x02", 0, 5_000, 2))
    old = read_telemetry(encode_telemetry(VersionAnswer(2), 0)[:-1])
    assert old is not None
    assert (old[0], old[1].version) == (VersionAnswer(2), 1)


def test_the_answer_of_a_clock_is_understood() -> None:
    read = read_telemetry(GOLDEN_CLOCK[:-1])
    assert read is not None
    assert read[0] == ClockAnswer(1, 6_000)
    assert (read[1].seq, read[1].version) == (1, 2)


@pytest.mark.parametrize("length", [16, 64, 68, 124])
@pytest.mark.parametrize("version", [1, 2])
def test_a_heartbeat_is_read_by_its_length(length: int, version: int) -> None:
    payload = bytearray(length)
    payload[0:4] = (61_000).to_bytes(4, "little")
    if length >= 68:
        payload[66] = 1
    if length == 124:
        payload[72:76] = (43_000).to_bytes(4, "little")
    frame = encode_packet(Packet(Telemetry.HEARTBEAT, bytes(payload), 7, 1, version))
    read = read_telemetry(frame[:-1])
    assert read is not None
    listening = True if length >= 68 else None
    assert read[0] == Heartbeat(61_000, 0, 0, 0, listening, 43_000 if length == 124 else None)
    assert read[1].version == version


@pytest.mark.parametrize("length", [0, 3, 5, 11, 13, 17, 20])
def test_a_status_of_an_unknown_length_is_refused(length: int) -> None:
    frame = encode_packet(Packet(Telemetry.STATUS, bytes(length)))
    with pytest.raises(UnknownLayout, match="STATUS"):
        read_telemetry(frame[:-1])


def test_an_id_that_nobody_knows_is_ignored() -> None:
    frame = encode_packet(Packet(0x94, b"audio of an older firmware"))
    assert read_telemetry(frame[:-1]) is None
    assert read_command(frame[:-1], 1) is None


def test_a_face_reads_longer_commands_and_drops_shorter_ones() -> None:
    longer = encode_packet(Packet(0x20, bytes([1, 2, 3, 4, 5, 99])))
    assert read_command(longer[:-1], 1) == (SetState(1, 2, 3, 4, 5), 0)
    with pytest.raises(MalformedFrame, match="SetState of 4 bytes"):
        read_command(encode_packet(Packet(0x20, bytes(4)))[:-1], 1)


def test_a_host_that_writes_version_1_is_understood_by_a_face_that_speaks_2() -> None:
    for frame, command, seq, version, _ in COMMANDS:
        if version == 1 and not isinstance(command, TimeSync):
            assert read_command(bytes.fromhex(frame)[:-1], 2) == (command, seq)


def test_what_does_not_fit_its_field_is_held_to_it() -> None:
    written = encode_command(SetState(300, -4, 500, -500, 1_000), 0x1_0203)
    assert read_command(written[:-1], 1) == (SetState(255, 0, 127, -127, 255), 3)


@given(commands, u32, st.sampled_from([1, 2]), us)
def test_a_command_comes_back(command: FaceCommand, seq: int, version: int, at_us: int) -> None:
    written = encode_command(command, seq, version, at_us)
    assert written.endswith(b"\0")
    assert b"\0" not in written[:-1]
    kept = seq & 0xFF if version == 1 else seq
    assert read_command(written[:-1], version) == (command, kept)


@given(told_in_1, u32, st.sampled_from([1, 2]), us)
def test_what_is_told_comes_back(told: FaceTelemetry, seq: int, version: int, at_us: int) -> None:
    if version == 2 and isinstance(told, Status):
        told = told._replace(applied_seq=seq, applied_us=at_us & 0xFFFF_FFFF)
    read = read_telemetry(encode_telemetry(told, seq, version, at_us)[:-1])
    assert read is not None
    assert read[0] == told


@given(st.lists(st.binary(max_size=40)), told_in_1)
def test_after_whatever_came_the_next_zero_is_in_step(
    junk: list[bytes], told: FaceTelemetry
) -> None:
    reader = FaceReader()
    for data in junk:
        reader.feed(data)
    reader.feed(b"\0")
    assert [one for one, _ in reader.feed(encode_telemetry(told, 1))] == [told]


@given(told_in_1, st.integers(0), st.integers(1, 255))
def test_a_flipped_byte_is_never_taken_for_another_message(
    told: FaceTelemetry, at: int, flip: int
) -> None:
    frame = bytearray(encode_telemetry(told, 1))
    frame[at % (len(frame) - 1)] ^= flip
    reader = FaceReader()
    assert [one for one, _ in reader.feed(bytes(frame))] in ([], [told])


def test_any_split_of_a_stream_gives_the_same_frames() -> None:
    stream = b"".join(bytes.fromhex(frame) for frame, *_ in TELEMETRY)
    whole = FaceReader().feed(stream)
    assert len(whole) == len(TELEMETRY)
    for size in (1, 2, 3, 7, 50):
        reader = FaceReader()
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [one for part in parts for one in reader.feed(part)] == whole


def test_a_stream_without_a_zero_is_held_within_bounds() -> None:
    frames = Deframer()
    for _ in range(1_000):
        assert frames.feed(b"x" * 1_000) == []
    assert frames.counters["frames.too_long"] == 1
    assert frames.feed(b"tail\0next\0") == [b"next"]


def test_a_frame_that_is_too_long_is_refused() -> None:
    with pytest.raises(FrameTooLarge):
        unstuff(b"\x01" * (MAX_FRAME_BYTES + 1))


def test_random_streams_leave_the_codec_alive() -> None:
    """``tests/protocols/face_streams.py`` sends a million."""
    assert survived(random.Random(1), 20_000) == 20_000
