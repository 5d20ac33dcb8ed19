"""Pocketsphinx in a child process, since its decoders hold the interpreter lock."""

import re
from collections.abc import Sequence

from pocketsphinx import Decoder

from agents.stt.backends.cepstra import Voice
from agents.stt.backends.commands import GRAMMAR, choose, longest_sentence, sentences

PRIMING_BYTES = 32_000 * 16 // 10
"""Sound of a speaker, lead-in included, that must be known before anything is decoded: until then
it is held back. With a cold mean nearly every word is wrong."""
STEP_BYTES = 3_200
"""Sound given to the dictation at once, wherever the pieces were cut that it came in."""
COMMAND_BYTES = 32_000 * 6
"""Longest utterance that may be a command, and from which more of its speaker is learnt."""
FRAMES_PER_SECOND = 75
"""The model was trained at 100. At 75 its features span more time, which people who speak to a
room (slow, echoing, from afar) need: it more than halves their word errors and costs less. Speech
half as fast again as usual comes out worse."""
MAX_HMM_PER_FRAME = 5_000
"""Halves the cost of dictation at an equal word error rate."""

_FRONT_END = {"samprate": 16_000, "frate": FRAMES_PER_SECOND, "loglevel": "FATAL"}


class SphinxChild:
    """A dictation that decodes sound as it comes in, and a command decoder for all of it at the end.

    What is heard depends on the samples and the speaker's voice only, not on how the sound was cut
    into pieces nor on what other speakers said. Called from the parent through ``WorkerProcess``.
    """

    def __init__(self) -> None:
        # Dictation's second pass (fwdflat) would take a tenth of the utterance's length at its end.
        self._dictation = Decoder(**_FRONT_END, maxhmmpf=MAX_HMM_PER_FRAME, fwdflat=False)
        self._commands = Decoder(**_FRONT_END, lm=None, jsgf=str(GRAMMAR))
        self._sentences: re.Pattern[str] = sentences(GRAMMAR.read_text())
        self._known = self._used = Voice()
        self._sound = bytearray()
        self._decoded = 0
        self._begun = False

    def begin(self, voice: list[float]) -> None:
        """Begin an utterance of the speaker with this voice (``Voice.packed``)."""
        self.abort()
        self._known = Voice.unpacked(voice)

    def feed(self, pcm: bytes) -> str:
        """Take sound; the dictation so far."""
        self._sound += pcm
        if not self._begun:
            if self._known.heard_bytes + len(self._sound) < PRIMING_BYTES:
                return ""
            self._start()
        whole_steps = len(self._sound) // STEP_BYTES * STEP_BYTES
        self._decode(whole_steps)
        return _text(self._dictation)

    def finish(self) -> tuple[str, list[float]]:
        """End the utterance: its text, and the speaker's voice for the next one."""
        if not self._begun:
            self._start()
        self._decode(len(self._sound))
        self._dictation.end_utt()
        self._begun = False
        text, voice = _text(self._dictation), self._used
        if len(self._sound) <= COMMAND_BYTES:
            commanded, heard = self._heard_at_once(bytes(self._sound))
            commanded = longest_sentence(commanded, self._sentences)
            text = choose(text, commanded, self._pronounce)
            voice = self._known.joined(heard)
        return text, voice.packed()

    def abort(self) -> None:
        """Forget the utterance."""
        if self._begun:
            self._dictation.end_utt()
        self._begun, self._decoded = False, 0
        self._sound.clear()

    def _start(self) -> None:
        """Begin to decode with the mean of all that is known of the speaker."""
        voice = self._known
        missing = PRIMING_BYTES - voice.heard_bytes
        if missing > 0:
            _, first_words = self._heard_at_once(bytes(self._sound[:missing]))
            voice = voice.joined(first_words)
        self._used = voice
        # A new front end, since the old one has followed the noise of another microphone.
        self._dictation.reinit_feat()
        if voice.mean:
            self._dictation.set_cmn(",".join(f"{value:.4f}" for value in voice.mean))
        self._dictation.start_utt()
        self._begun = True

    def _decode(self, upto: int) -> None:
        while self._decoded < upto:
            end = min(self._decoded + STEP_BYTES, upto)
            self._dictation.process_raw(bytes(self._sound[self._decoded : end]), False, False)
            self._decoded = end

    def _heard_at_once(self, pcm: bytes) -> tuple[str, Voice]:
        """What the grammar hears in ``pcm``, and the voice in it."""
        if not pcm:
            return "", Voice()
        decoder = self._commands
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(pcm, False, True)
        # A decoder that is only ever given whole utterances takes the exact mean of each.
        mean = tuple(map(float, decoder.get_cmn(False).split(",")))
        decoder.end_utt()
        return _text(decoder), Voice(mean, len(pcm))

    def _pronounce(self, word: str) -> Sequence[str]:
        phonemes = self._dictation.lookup_word(word)
        return phonemes.split() if phonemes else tuple(word)


def _text(decoder: Decoder) -> str:
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""
