"""What an agent that is only tried says: ``python -m agents.KIND --try`` writes it to its stdout, one
JSON object a line, steps as they are taken and one report at the end."""

from enum import StrEnum

import msgspec

TRY = "--try"
"""The argument that makes an agent's process try its engine and leave; a recording of somebody who
speaks (WAV, 16 kHz, mono, s16le) may follow it, and agents that listen need it."""


class Stage(StrEnum):
    """How far a trial came."""

    SETTINGS = "settings"
    CHOICE = "choice"
    LOAD = "load"
    ANSWER = "answer"
    DONE = "done"


class TrialStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="step"):
    """What is being done: ``done`` of ``total`` (0 unknown) in ``unit``."""

    stage: Stage
    step: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""


class TrialReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="report"):
    """What came of it. ``stage`` is the one that failed, for the reason ``error`` of the code
    ``code``; numbers are -1 where it did not come so far.

    ``memory_mib`` is the most that the process and its children held. ``reason`` says why it is this
    engine, ``note`` what a person may want to know of the answer; ``drops`` is what the agent
    counted as lost or refused.
    """

    stage: Stage
    backend: str = ""
    model: str = ""
    load_s: float = -1.0
    answer_ms: float = -1.0
    memory_mib: float = -1.0
    reason: str = ""
    note: str = ""
    code: str = ""
    error: str = ""
    drops: dict[str, int] = {}


TrialLine = TrialStep | TrialReport

_decoder = msgspec.json.Decoder(TrialLine)


def encode_line(line: TrialLine) -> bytes:
    """``line`` with its closing newline."""
    return msgspec.json.encode(line) + b"\n"


def decode_line(data: bytes) -> TrialLine | None:
    """The line in ``data``; None if it is none: engines write to stdout what they like."""
    try:
        line: TrialLine = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    return line
