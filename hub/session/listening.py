"""Rules of listening: voices, utterances, transcripts, and what may interrupt the robot."""

from hub.session import answering, attention
from hub.session import effects as do
from hub.session.draft import Draft
from hub.session.preemption import Voice, voice_may
from hub.session.state import Barge, Timer, Utterance
from hub.session.words import Act, instant_act, is_aside, is_backchannel, plain_words
from protocols.messages import robot, transcript, voice
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.session import EchoCanceller, Endpointing, Mute
from protocols.messages.turn import Outcome


def voice_started(d: Draft, m: voice.VoiceStarted) -> None:
    if m.utterance <= d.state.settled:
        return
    if d.state.hearing.mute is not Mute.OFF:
        drop_utterance(d, m.utterance, voice.DropReason.MUTED)
        return
    d.set(utterance=Utterance(m.utterance))
    yield_to_voice(d, m.utterance)
    _wait_for_ears(d)


def yield_to_voice(d: Draft, utterance: int) -> None:
    """Duck, or not, for a voice that has just begun."""
    live, hello = d.turn, d.state.hello
    if hello.endpointing is Endpointing.CLIENT and hello.aec is EchoCanceller.NONE:
        return
    # Whoever holds the button has silenced the robot: what is heard is not its echo.
    aec = EchoCanceller.DEVICE if d.state.hearing.held else hello.aec
    match voice_may(live.claim if live else None, bool(live and live.audible), aec):
        case Voice.LISTEN:
            d.rest()
        case Voice.IGNORE:
            drop_utterance(d, utterance, voice.DropReason.ECHO)
        case Voice.BARGE_IN | Voice.REOPEN:
            if live and d.state.barge is Barge.NONE:
                d.set(barge=Barge.DUCKED)
                d.tell(robot.Duck(turn=live.number))


def voice_confirmed(d: Draft, m: voice.VoiceConfirmed) -> None:
    if d.state.utterance is None or m.utterance != d.state.utterance.number:
        return
    if d.turn and d.state.barge is Barge.NONE:
        yield_to_voice(d, m.utterance)
    if d.turn and d.state.barge is Barge.DUCKED:
        d.set(barge=Barge.HELD)
        d.do(do.Hold(d.turn.number))
        d.tell(robot.Hold(turn=d.turn.number))
    _wait_for_ears(d)


def voice_lasted(d: Draft, m: voice.VoiceLasted) -> None:
    if d.state.utterance is None or m.utterance != d.state.utterance.number:
        return
    if d.turn and d.state.barge is Barge.NONE:
        # The turn has begun, or was released by what was said before, since the voice was confirmed.
        yield_to_voice(d, m.utterance)
    if d.turn and d.state.barge is not Barge.NONE:
        answering.interrupt(d, "barge_in")


def voice_stopped(d: Draft, m: voice.VoiceStopped) -> None:
    if d.state.utterance is None or m.utterance != d.state.utterance.number:
        return
    d.set(utterance=Utterance(m.utterance, voiced=False))
    if d.state.barge is not Barge.NONE and d.state.hello.endpointing is Endpointing.CLIENT:
        # It ends the utterance whenever it likes: the robot does not wait for that.
        nothing_said(d)
    _wait_for_ears(d)


def _wait_for_ears(d: Draft) -> None:
    """Ears has said where the voice stands that holds the robot, and will say more soon."""
    if d.turn and d.state.barge is Barge.HELD:
        d.arm(Timer.BARGE, d.state.policy.barge_wait_ms)


def barge_due(d: Draft) -> None:
    """Ears has said nothing more of the voice that holds the robot: no sound comes any more."""
    heard = d.state.utterance
    if not (d.turn and heard and d.state.barge is Barge.HELD):
        return
    if d.state.hearing.held:
        _wait_for_ears(d)  # whoever holds the button may think for as long as they like
    elif heard.voiced:
        answering.interrupt(d, "barge_in")
    else:
        nothing_said(d)


def utterance_ended(d: Draft, m: voice.UtteranceEnded, t_src_ns: int) -> None:
    if m.utterance <= d.state.settled:
        return
    awaited = Utterance(m.utterance, False, speech_end_ns=t_src_ns, endpoint_ns=d.now_ns)
    d.set(utterance=None, awaited=awaited)
    if not d.state.has(AgentKind.STT, do.PRIMARY):
        recogniser_lost(d)
        return
    d.order(
        AgentKind.STT,
        voice.UtteranceFinish(
            utterance=m.utterance, first_sample=m.first_sample, last_sample=m.last_sample
        ),
    )
    d.arm(Timer.TRANSCRIPT, d.state.policy.transcript_ms)
    if not d.turn:
        d.show(Conversation.THINKING)


def utterance_dropped(d: Draft, m: voice.UtteranceDropped) -> None:
    if m.reason is voice.DropReason.NOT_ADDRESSED:
        attention.not_addressed(d)
        return
    d.order(AgentKind.STT, voice.UtteranceDrop(utterance=m.utterance, reason=m.reason))
    if m.reason is voice.DropReason.EMPTY:
        d.tell(robot.Error(code="no_audio", message="No audio received"))
    elif d.state.hello.endpointing is Endpointing.CLIENT and m.reason is not voice.DropReason.MUTED:
        # This client has asked for a transcript and waits for some answer.
        d.tell(robot.Error(code="not_understood", message="Could not understand audio"))
    if d.state.utterance and m.utterance == d.state.utterance.number:
        d.set(utterance=None)
        nothing_said(d)


def drop_utterance(
    d: Draft, utterance: int, reason: voice.DropReason, last_sample: int = -1
) -> None:
    """Forget ``utterance`` (0: none), and what ears has heard up to ``last_sample``."""
    d.set(utterance=None, settled=max(d.state.settled, utterance))
    order = voice.UtteranceDrop(utterance=utterance, reason=reason, last_sample=last_sample)
    d.order(AgentKind.EARS, order)
    if utterance:
        d.order(AgentKind.STT, order)


def partial(d: Draft, m: transcript.TranscriptPartial) -> None:
    if m.utterance <= d.state.settled:
        return
    d.tell(robot.Transcript(utterance=m.utterance, text=m.text, final=False))
    if d.turn and d.state.barge is Barge.HELD and _is_meant(m.text, d.state.policy.barge_words):
        answering.interrupt(d, "barge_in")


def _is_meant(text: str, words: int) -> bool:
    """Whether a partial transcript shows that the robot is addressed. It is silent already, so a
    word or two, which may be a misheard "uh huh", can wait for more voice or for the final."""
    if instant_act(text):
        return True
    return len(plain_words(text)) >= words and not is_backchannel(text)


def final(d: Draft, m: transcript.TranscriptFinal) -> None:
    if m.utterance <= d.state.settled:
        return
    text = m.text.strip()
    d.tell(robot.Transcript(utterance=m.utterance, text=text, final=True))
    awaited = settle_utterance(d, m.utterance)
    act = instant_act(text)
    if act:
        act_at_once(d, act)
    elif not text or _is_beside(d, text):
        if not text and not d.turn and not d.state.carried:
            d.tell(robot.Error(code="not_understood", message="Could not understand audio"))
        nothing_said(d)
    else:
        answering.user_says(d, text, awaited)


def _is_beside(d: Draft, text: str) -> bool:
    """Whether the robot goes on as if it had not been said. Whoever's voice has *lasted* has
    interrupted by then, whatever the words."""
    if d.state.barge is Barge.NONE:
        return False
    speaks = d.turn is not None and d.turn.audible
    return is_aside(text) if speaks else is_backchannel(text)


def transcript_failed(d: Draft, m: transcript.TranscriptFailed) -> None:
    if m.utterance > d.state.settled:
        settle_utterance(d, m.utterance)
        no_transcript(d, m.code)


def transcript_due(d: Draft) -> None:
    if d.state.awaited:
        settle_utterance(d, d.state.awaited.number)
        no_transcript(d, "stt_timeout")


def recogniser_lost(d: Draft) -> None:
    """What was to be transcribed, or was still being said, nobody knows any more."""
    awaited, speaking = d.state.awaited, d.state.utterance
    if awaited:
        settle_utterance(d, awaited.number)
    if speaking:
        drop_utterance(d, speaking.number, voice.DropReason.EMPTY)
    if awaited or speaking:
        no_transcript(d, "stt_down")


def no_transcript(d: Draft, code: str) -> None:
    d.tell(robot.Error(code=code, message="Could not understand audio"))
    nothing_said(d)


def settle_utterance(d: Draft, number: int) -> Utterance | None:
    """Nothing more is wanted of an utterance; return what is known of its times."""
    d.set(settled=max(d.state.settled, number))
    awaited = d.state.awaited
    if awaited is None or awaited.number != number:
        return None
    d.set(awaited=None)
    d.disarm(Timer.TRANSCRIPT)
    return awaited


def nothing_said(d: Draft) -> None:
    """A voice that meant nothing: go on with what it disturbed."""
    if d.turn and d.state.barge is not Barge.NONE:
        d.set(barge=Barge.NONE)
        d.disarm(Timer.BARGE)
        d.arm(Timer.SILENCE, d.state.policy.silence_ms)
        d.do(do.Release(d.turn.number))
        d.tell(robot.Release(turn=d.turn.number))
    elif not d.turn:
        d.rest()


def act_at_once(d: Draft, act: Act) -> None:
    if act in (Act.STOP, Act.SLEEP):
        d.set(carried="", reopens=0)
        if d.turn:
            d.end(Outcome.INTERRUPTED if d.turn.audible else Outcome.CANCELLED, "stop_word")
        if act is Act.SLEEP:
            attention.go_to_sleep(d)
    else:
        delta = 0.2 if act is Act.LOUDER else -0.2
        answering.request_action(d, {"action": "volume", "params": {"delta": delta}}, 0)
    nothing_said(d)
