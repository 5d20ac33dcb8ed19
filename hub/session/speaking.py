"""Rules of speech: what tts has made, what went out, what was heard."""

from dataclasses import replace

from hub.session import effects as do
from hub.session import events as on
from hub.session.draft import Draft
from hub.session.heard import heard_words
from hub.session.state import Timer
from hub.session.waterfall import Stage
from protocols.messages import robot, speech
from protocols.messages.face import Conversation


def marks(d: Draft, m: speech.SpeechMarks) -> None:
    assert d.turn is not None
    if d.turn.spoken <= m.phrase < len(d.turn.phrases):
        phrases = list(d.turn.phrases)
        phrase = phrases[m.phrase]
        phrases[m.phrase] = replace(phrase, words=phrase.words + m.words)
        d.set_turn(phrases=tuple(phrases))
        text = phrase.text
        d.tell(robot.SpeechText(turn=d.turn.number, phrase=m.phrase, text=text, words=m.words))


def speech_ended(d: Draft, m: speech.SpeechEnded) -> None:
    assert d.turn is not None
    if m.phrase != d.turn.spoken or m.phrase >= len(d.turn.phrases):
        d.do(do.Stale("SpeechEnded"))
        return
    d.set_turn(spoken=m.phrase + 1, samples=m.last_sample)
    d.complete()


def speech_arrived(d: Draft, e: on.SpeechArrived) -> None:
    if d.turn and d.turn.number == e.turn:
        d.stage(Stage.FIRST_SAMPLE_MADE)


def speech_sent(d: Draft, e: on.SpeechSent) -> None:
    if d.turn and d.turn.number == e.turn:
        d.stage(Stage.FIRST_BYTE_SENT)
        d.show(Conversation.SPEAKING)


def speech_heard(d: Draft, e: on.SpeechHeard) -> None:
    live = d.turn
    if live is None or live.number != e.turn or e.played_ms <= live.played_ms:
        return
    d.stage(Stage.FIRST_SAMPLE_PLAYED, e.first_ns)
    live = d.set_turn(played_ms=e.played_ms)
    words = heard_words(live.marks, e.played_ms)
    d.report(speech.SpeechPlayed(played_ms=e.played_ms, words=words))
    d.arm(Timer.SILENCE, d.state.policy.silence_ms)
    d.complete()
