"""How the face protocol (``protocols/face.py``) is written.

Payloads are read by their length, since every firmware has its own: what has the length of no known
layout is refused, and what could be read in two ways would be too.
"""

import struct
from collections import Counter

from protocols.codecs.serial import (
    LATEST,
    Deframer,
    Packet,
    encode_packet,
    open_envelope,
    payload_bytes,
    unstuff,
)
from protocols.errors import MalformedFrame, ProtocolError
from protocols.face import (
    ALL_FLAGS,
    ButtonPress,
    ClockAnswer,
    Command,
    FaceCommand,
    FaceTelemetry,
    Heartbeat,
    SetConversation,
    SetFlags,
    SetState,
    SetSystem,
    SetTalking,
    SetVersion,
    ShowGesture,
    Status,
    Telemetry,
    TimeSync,
    Touch,
    UnknownLayout,
    VersionAnswer,
)

_COMMANDS: dict[type, tuple[Command, struct.Struct]] = {
    TimeSync: (Command.TIME_SYNC, struct.Struct("<I4x")),
    SetVersion: (Command.SET_VERSION, struct.Struct("<B")),
    SetState: (Command.SET_STATE, struct.Struct("<BBbbB")),
    ShowGesture: (Command.GESTURE, struct.Struct("<BH")),
    SetSystem: (Command.SET_SYSTEM, struct.Struct("<BBB")),
    SetTalking: (Command.SET_TALKING, struct.Struct("<BB")),
    SetFlags: (Command.SET_FLAGS, struct.Struct("<B")),
    SetConversation: (Command.SET_CONVERSATION, struct.Struct("<B")),
}
_BY_ID = {int(kind): (of, layout) for of, (kind, layout) in _COMMANDS.items()}

_TOUCHED, _TALKING, _LISTENING = 1, 2, 4
_CLOCK = struct.Struct("<IQ")
_STATUS, _STATUS_2 = struct.Struct("<BBBB"), struct.Struct("<BBBBII")
_TOUCH = struct.Struct("<BHH")
_BUTTON = struct.Struct("<BBBx")
_COUNTS = struct.Struct("<4I")
_COUNTS_BYTES, _USB_BYTES, _LINES_BYTES, _RENDER_BYTES = 16, 64, 68, 124
_LISTENING_AT = 66
_FRAME_AVG = struct.Struct("<I")
_FRAME_AVG_AT = 72

_LAYOUTS: dict[int, frozenset[int]] = {
    Telemetry.TIME_SYNC: frozenset({_CLOCK.size}),
    Telemetry.VERSION: frozenset({1}),
    Telemetry.STATUS: frozenset({_STATUS.size, _STATUS_2.size}),
    Telemetry.TOUCH: frozenset({_TOUCH.size}),
    Telemetry.BUTTON: frozenset({_BUTTON.size}),
    Telemetry.HEARTBEAT: frozenset({_COUNTS_BYTES, _USB_BYTES, _LINES_BYTES, _RENDER_BYTES}),
}
"""Lengths of payloads that are known, by the id of what is told."""


def encode_command(command: FaceCommand, seq: int, version: int = 1, t_src_us: int = 0) -> bytes:
    """The frame of a command. Numbers beyond their field are held to it."""
    kind, layout = _COMMANDS[type(command)]
    match command:
        case SetVersion():
            version = 1
        case SetState(mood, intensity, x, y, brightness):
            command = SetState(_u8(mood), _u8(intensity), _i8(x), _i8(y), _u8(brightness))
        case ShowGesture(gesture, duration_ms):
            command = ShowGesture(_u8(gesture), max(0, min(0xFFFF, duration_ms)))
        case SetSystem(mode, param, phase):
            return _frame(
                kind, layout.pack(_u8(mode), _u8(phase), _u8(param)), seq, version, t_src_us
            )
        case SetTalking(talking, energy):
            command = SetTalking(bool(talking), _u8(energy))
        case SetFlags(flags):
            command = SetFlags(flags & ALL_FLAGS)
        case _:
            pass
    return _frame(kind, layout.pack(*command), seq, version, t_src_us)


def read_command(frame: bytes, version: int) -> tuple[FaceCommand, int] | None:
    """As a face that speaks ``version`` reads it: a command and its number. None if it does not
    know the id; a longer payload is read as far as it is known.

    Raises:
        MalformedFrame, FrameTooLarge: see ``unstuff``; or the payload is too short.
    """
    body = unstuff(frame)
    is_latest = version == LATEST and payload_bytes(body, LATEST) >= 0
    packet = open_envelope(body, LATEST if is_latest else 1)
    if packet.type not in _BY_ID:
        return None
    of, layout = _BY_ID[packet.type]
    if len(packet.payload) < layout.size:
        raise MalformedFrame(f"{of.__name__} of {len(packet.payload)} bytes, {layout.size} needed")
    fields = layout.unpack_from(packet.payload)
    if of is SetSystem:
        mode, phase, param = fields
        return SetSystem(mode, param, phase), packet.seq
    if of is SetTalking:
        return SetTalking(bool(fields[0]), fields[1]), packet.seq
    command: FaceCommand = of(*fields)
    return command, packet.seq


def encode_telemetry(told: FaceTelemetry, seq: int, version: int = 1, t_src_us: int = 0) -> bytes:
    """The frame of what a face tells, in the layouts of the newest firmware without its render
    statistics."""
    match told:
        case ClockAnswer(ping, at_us):
            return _frame(Telemetry.TIME_SYNC, _CLOCK.pack(ping, at_us), seq, version, t_src_us)
        case VersionAnswer(spoken):
            return _frame(Telemetry.VERSION, bytes([spoken]), seq, version, t_src_us)
        case Status():
            return _frame(Telemetry.STATUS, _status(told, version), seq, version, t_src_us)
        case Touch(kind, x, y):
            return _frame(Telemetry.TOUCH, _TOUCH.pack(kind, x, y), seq, version, t_src_us)
        case ButtonPress(button, kind, latched):
            payload = _BUTTON.pack(button, kind, latched)
            return _frame(Telemetry.BUTTON, payload, seq, version, t_src_us)
        case Heartbeat():
            lines = bytearray(_LINES_BYTES)
            _COUNTS.pack_into(lines, 0, *told[:4])
            lines[_LISTENING_AT] = bool(told.listening)
            return _frame(Telemetry.HEARTBEAT, bytes(lines), seq, version, t_src_us)


def read_telemetry(frame: bytes) -> tuple[FaceTelemetry, Packet] | None:
    """What a face tells, and the packet it came in; None for an id that is not known.

    A face that has started anew speaks version 1 again without a word. So the version of a frame
    is not remembered but read: of its two possible envelopes the one whose payload has a known
    length is meant.

    Raises:
        MalformedFrame, FrameTooLarge: see ``unstuff``.
        UnknownLayout: neither envelope leaves a payload of a known length, or both do.
    """
    body = unstuff(frame)
    layouts = _LAYOUTS.get(body[0])
    if layouts is None:
        return None
    fits = [v for v in (1, LATEST) if payload_bytes(body, v) in layouts]
    if len(fits) != 1:
        raise UnknownLayout(f"{Telemetry(body[0]).name} in a packet of {len(body)} bytes")
    packet = open_envelope(body, fits[0])
    return _told(packet), packet


class FaceReader:
    """Bytes of a serial port in, what the face tells out. It never raises; ``counters`` names what
    could not be read."""

    def __init__(self) -> None:
        self._frames = Deframer()
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        return self._frames.counters + self._counters

    def feed(self, data: bytes) -> list[tuple[FaceTelemetry, Packet]]:
        """What ``data`` completes, in order."""
        told = []
        for frame in self._frames.feed(data):
            try:
                read = read_telemetry(frame)
            except ProtocolError as error:
                self._counters[f"frames.{error.code}"] += 1
                continue
            if read is None:
                self._counters["frames.unknown_id"] += 1
            else:
                told.append(read)
        return told

    def reset(self) -> None:
        """The port was opened anew."""
        self._frames.reset()


def _told(packet: Packet) -> FaceTelemetry:
    payload = packet.payload
    match packet.type:
        case Telemetry.TIME_SYNC:
            return ClockAnswer(*_CLOCK.unpack(payload))
        case Telemetry.VERSION:
            return VersionAnswer(payload[0])
        case Telemetry.STATUS:
            return _read_status(payload)
        case Telemetry.TOUCH:
            return Touch(*_TOUCH.unpack(payload))
        case Telemetry.BUTTON:
            button, kind, latched = _BUTTON.unpack(payload)
            return ButtonPress(button, kind, bool(latched))
    has_lines, has_render = len(payload) >= _LINES_BYTES, len(payload) >= _RENDER_BYTES
    uptime_ms, status_sent, touches_sent, buttons_sent = _COUNTS.unpack_from(payload)
    return Heartbeat(
        uptime_ms,
        status_sent,
        touches_sent,
        buttons_sent,
        listening=bool(payload[_LISTENING_AT]) if has_lines else None,
        frame_avg_us=_FRAME_AVG.unpack_from(payload, _FRAME_AVG_AT)[0] if has_render else None,
    )


def _read_status(payload: bytes) -> Status:
    mood, gesture, system, flags, *applied = (
        _STATUS_2 if len(payload) == _STATUS_2.size else _STATUS
    ).unpack(payload)
    bits = (bool(flags & bit) for bit in (_TOUCHED, _TALKING, _LISTENING))
    return Status(mood, gesture, system, *bits, *applied)


def _status(status: Status, version: int) -> bytes:
    flags = status.touched * _TOUCHED | status.talking * _TALKING | status.listening * _LISTENING
    head = (status.mood, status.gesture, status.system, flags)
    if version == 1:
        return _STATUS.pack(*head)
    applied_us = status.applied_us & 0xFFFF_FFFF
    return _STATUS_2.pack(*head, max(0, status.applied_seq) & 0xFFFF_FFFF, applied_us)


def _frame(kind: int, payload: bytes, seq: int, version: int, t_src_us: int) -> bytes:
    return encode_packet(Packet(int(kind), payload, seq, t_src_us, version))


def _u8(value: int) -> int:
    return max(0, min(255, value))


def _i8(value: int) -> int:
    return max(-127, min(127, value))
