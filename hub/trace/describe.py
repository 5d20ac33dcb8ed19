"""A trace's entries in one line each, for people."""

from hub.trace import entries as e
from hub.trace.entries import Entry
from protocols.envelope import Message
from protocols.messages.turn import TurnStart

_SECOND_NS = 1_000_000_000


def describe(entry: Entry) -> str:
    """What an entry says, with its number and its time in seconds of the hub's clock."""
    return f"[{entry.n}] {entry.t_ns / _SECOND_NS:.3f} s  {said(entry)}"


def said(entry: Entry) -> str:
    """What an entry says, without number and time."""
    match entry:
        case e.Started():
            return f"hub started, boot {entry.boot}"
        case e.Stopped():
            return "hub stopped"
        case e.Opened():
            resumed = ", resumed" if entry.resumed else ""
            return f"{_connection(entry)} opened{resumed}"
        case e.Closed():
            why = f" ({entry.code} {entry.reason})" if entry.reason else f" ({entry.code})"
            return f"{_connection(entry)} closed{why}"
        case e.Fact():
            return f"{entry.topic} {_identity(entry)} from {entry.src}".replace("  ", " ")
        case e.Command():
            told = f"{entry.topic} {_identity(entry)} to {entry.peer}".replace("  ", " ")
            return told + _sight(entry.body)
        case e.Told():
            return f"{_tag(entry)} to {entry.robot}{_turn_in(entry)}"
        case e.Said():
            return f"{_tag(entry)} from {entry.robot}{_turn_in(entry)}"
        case _:
            return _media(entry)


def _media(entry: Entry) -> str:
    match entry:
        case e.SpeechOut():
            end = entry.first_sample + entry.samples
            return f"speech {entry.first_sample}..{end} to {entry.robot}, turn {entry.turn}"
        case e.SpeechIn():
            end = entry.first_sample + entry.samples
            return (
                f"speech {entry.first_sample}..{end} of {entry.robot}, turn {entry.turn}"
                f" from {entry.src}"
            )
        case e.MicIn():
            end = entry.first_sample + entry.samples
            return f"microphone {entry.first_sample}..{end} from {entry.robot}"
        case e.Depth():
            return f"queue {entry.queue} of {entry.owner}: {entry.depth} of {entry.bound}"
        case e.Lost():
            return f"{entry.count} entries lost"
        case _:
            return type(entry).__name__


def _connection(entry: e.Opened | e.Closed) -> str:
    return f"connection {entry.connection} of {entry.robot}, epoch {entry.epoch},"


def _identity(entry: e.Fact | e.Command) -> str:
    parts = [entry.robot]
    if entry.turn:
        parts.append(f"turn {entry.turn}")
    if utterance := getattr(entry.body, "utterance", 0):
        parts.append(f"utterance {utterance}")
    if entry.job:
        parts.append(f"job {entry.job}")
    return " ".join(part for part in parts if part)


def _sight(body: Message) -> str:
    """What a planner is told of the camera."""
    sight = body.sight if isinstance(body, TurnStart) else None
    if sight is None:
        return ""
    return f", {sight.missing}" if sight.missing else f", sees a picture {sight.age_ms} ms old"


def _tag(entry: e.Told | e.Said) -> str:
    return str(type(entry.body).__struct_config__.tag)


def _turn_in(entry: e.Told | e.Said) -> str:
    turn = getattr(entry.body, "turn", 0)
    return f", turn {turn}" if turn else ""
