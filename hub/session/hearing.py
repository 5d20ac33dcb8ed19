"""How a robot listens at this moment, and what follows from it. Pure.

    attention       what is said is taken                      the face at rest
    open            always                                     listening
    push_to_talk    while the button is held                   ptt, else idle
    wake_word       for a while after the wake word, and       listening, else idle
                    after the robot's answer
    muted           never                                      idle

The button is on top of all of them but a mute.
"""

import msgspec

from protocols.messages.face import Conversation
from protocols.messages.session import Attention, AttentionChanged, AttentionSet, Mute


class Hearing(msgspec.Struct, frozen=True, gc=False):
    """``attention`` is never ``muted``: mutes lie over it, one by software (``hushed``) and one by
    the switch of the microphone (``mic_off``). The button that is ``down`` is not ``held`` any more
    once a mute, another choice or a lost connection has ended that. ``awake`` means that somebody
    has said the wake word, which ended before ``wake_sample`` (-1: nowhere), or was answered.
    ``unaddressed`` counts utterances that were not for the robot."""

    attention: Attention = Attention.OPEN
    held: bool = False
    down: bool = False
    awake: bool = False
    hushed: bool = False
    mic_off: bool = False
    wake_sample: int = -1
    unaddressed: int = 0

    @property
    def mute(self) -> Mute:
        if self.mic_off:
            return Mute.HARDWARE
        return Mute.SOFTWARE if self.hushed else Mute.OFF

    @property
    def hears(self) -> bool:
        """Whether what is said now is taken."""
        if self.mute is not Mute.OFF:
            return False
        open_ear = self.attention is Attention.OPEN
        called = self.attention is Attention.WAKE_WORD and self.awake
        return self.held or open_ear or called

    @property
    def at_rest(self) -> Conversation:
        """What the face shows while nobody is answered."""
        if not self.hears:
            return Conversation.IDLE
        return Conversation.PTT if self.held else Conversation.LISTENING

    @property
    def after_an_answer(self) -> "Hearing":
        """The user may go on."""
        follows = self.attention is Attention.WAKE_WORD and self.mute is Mute.OFF
        return msgspec.structs.replace(self, awake=self.awake or follows)

    @property
    def order(self) -> AttentionSet:
        """What ears are told."""
        if self.mute is not Mute.OFF:
            return AttentionSet(attention=Attention.MUTED)
        if self.held:
            return AttentionSet(attention=Attention.PUSH_TO_TALK, held=True)
        if self.attention is not Attention.WAKE_WORD:
            return AttentionSet(attention=self.attention)
        return AttentionSet(
            attention=self.attention, awake=self.awake, wake_sample=self.wake_sample
        )

    @property
    def fact(self) -> AttentionChanged:
        """What observers are told."""
        return AttentionChanged(
            attention=self.attention,
            mute=self.mute,
            hearing=self.hears,
            held=self.held,
            awake=self.awake,
            unaddressed=self.unaddressed,
        )
