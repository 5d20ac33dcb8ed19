"""Whether a conversation went as it should, from what the robot itself saw and played. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from protocols.messages.robot import TurnEnd
from protocols.messages.speech import WordMark
from protocols.messages.turn import Outcome
from robot_sim.captions import is_heard_prefix
from robot_sim.conversation import Exchange
from robot_sim.scenario import Outcomes
from robot_sim.wer import WordErrors, word_errors

HEARD_TOLERANCE_MS = 80.0


class Row(NamedTuple):
    """One utterance in the summary. ``latency_ms`` is None where nothing was answered."""

    reference: str
    understood: str
    errors: WordErrors
    intent: str
    got_intent: str
    outcome: str
    latency_ms: float | None


class Seen(NamedTuple):
    """What a watcher saw beside the conversation: the moods on the face in order, the one that is
    felt (empty: nobody told, ``untold`` says why), and how near the robot came to its ball (None: there
    is none)."""

    moods: tuple[str, ...]
    felt: str
    ball_mm: float | None
    untold: str = ""


class Verdict(NamedTuple):
    """The summary, the error rate over all utterances whose words are known, and what failed."""

    rows: tuple[Row, ...]
    errors: WordErrors
    failures: tuple[str, ...]


def judge(
    exchanges: Sequence[Exchange],
    ends: Sequence[TurnEnd],
    words: Callable[[int, str], list[WordMark]],
    played_ms: Callable[[int], float],
    max_wer: float,
) -> Verdict:
    """Judge a conversation.

    Args:
        exchanges: what was said and what came of it.
        ends: all turns that ended.
        words: the word marks of a turn's answer, by its number and text.
        played_ms: how much of a turn the loudspeaker has played.
        max_wer: highest word error rate that passes.
    """
    rows = tuple(_row(exchange) for exchange in exchanges)
    errors = sum((row.errors for row in rows), WordErrors(0, 0))
    failures: list[str] = []
    if errors.rate > max_wer:
        failures.append(f"word error rate {errors.rate:.1%}, {max_wer:.0%} is allowed")
    for exchange, row in zip(exchanges, rows, strict=True):
        failures += _failures(exchange, row)
    failures += [
        f"turn {end.turn} stored {end.heard_text!r} as heard, which is not what was played"
        for end in ends
        if not _heard_truly(end, words(end.turn, end.response_text), played_ms(end.turn))
    ]
    return Verdict(rows, errors, tuple(failures))


def unmet(outcomes: Outcomes, seen: Seen) -> tuple[str, ...]:
    """Which of the ``outcomes`` did not come about."""
    failures = []
    if len(set(seen.moods)) < outcomes.moods:
        shown = ", ".join(seen.moods)
        failures.append(f"the face was to show {outcomes.moods} moods, and showed {shown}")
    if not seen.felt:
        why = f": {seen.untold}" if seen.untold else ""
        failures.append(f"nobody told what the robot feels{why}")
    elif seen.moods[-1:] != (seen.felt,):
        failures.append(f"the robot feels {seen.felt}, the face shows {''.join(seen.moods[-1:])}")
    if seen.ball_mm is None or seen.ball_mm > outcomes.ball_mm:
        away = "nowhere" if seen.ball_mm is None else f"{seen.ball_mm:.0f} mm away"
        failures.append(f"the ball is {away}, {outcomes.ball_mm:.0f} mm were to be reached")
    return tuple(failures)


def _heard_truly(end: TurnEnd, words: list[WordMark], played_ms: float) -> bool:
    if end.heard_text == end.response_text:
        return all(word.end_ms <= played_ms + HEARD_TOLERANCE_MS for word in words)
    return is_heard_prefix(end.heard_text, words, played_ms, HEARD_TOLERANCE_MS)


def _row(exchange: Exchange) -> Row:
    answer, utterance = exchange.answer, exchange.utterance
    known = bool(utterance.text) and not utterance.ignored
    return Row(
        reference=utterance.text,
        understood=exchange.understood,
        errors=word_errors(utterance.text, exchange.understood) if known else WordErrors(0, 0),
        intent=utterance.intent,
        got_intent=answer.intent if answer else "",
        outcome=answer.outcome.value if answer else "no answer",
        latency_ms=sum(part.ms for part in answer.segments) if answer else None,
    )


def _failures(exchange: Exchange, row: Row) -> list[str]:
    name = row.reference or exchange.utterance.label
    failures = []
    if exchange.utterance.ignored:
        taken = exchange.turns or exchange.understood
        return [f"{name!r} was not for the robot, and was taken"] if taken else []
    if exchange.answer is None:
        failures.append(f"{name!r} was not answered")
    elif row.intent and row.intent != row.got_intent:
        failures.append(f"{name!r} is of intent {row.intent}, taken for {row.got_intent or '?'}")
    if exchange.utterance.interrupts is None:
        return failures
    cut = exchange.cut
    if cut is None:
        failures.append(f"{name!r} came too late to interrupt anything")
    elif not (cut.ducked and cut.flushed and cut.outcome is Outcome.INTERRUPTED):
        failures.append(
            f"{name!r} did not interrupt turn {cut.turn} by voice: "
            f"ducked {cut.ducked}, flushed {cut.flushed}, outcome {cut.outcome}"
        )
    return failures
