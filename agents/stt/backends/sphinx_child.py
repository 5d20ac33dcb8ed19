"""Pocketsphinx in a child process, since its decoders hold the interpreter lock."""

import re
from collections.abc import Sequence

from pocketsphinx import Decoder

from agents.stt.backends.commands import GRAMMAR, choose, longest_sentence, sentences

PRIMING_BYTES = 32_000 * 16 // 10
"""Sound of a stranger's first utterance, lead-in included, from which the cepstral mean is
estimated before anything is decoded: with a cold mean nearly every word of it is wrong."""
STEP_BYTES = 4_096
"""Sound given to a decoder at once: its running mean follows in such steps, and with larger ones
more words come out wrong."""
MAX_HMM_PER_FRAME = 5_000
"""Halves the cost of dictation at an equal word error rate."""

_RATE_HZ = 16_000


class SphinxChild:
    """A dictation and a command decoder that hear the same utterance.

    Called from the parent through ``WorkerProcess``; only bytes and str cross.
    """

    def __init__(self) -> None:
        self._dictation = Decoder(samprate=_RATE_HZ, loglevel="FATAL", maxhmmpf=MAX_HMM_PER_FRAME)
        self._commands = Decoder(samprate=_RATE_HZ, loglevel="FATAL", lm=None, jsgf=str(GRAMMAR))
        self._sentences: re.Pattern[str] = sentences(GRAMMAR.read_text())
        self._cold_mean: str = self._dictation.get_cmn(False)
        self._held_back = b""
        self._begun = False
        self._mean = ""

    def begin(self, mean: str) -> None:
        """Begin an utterance of a speaker with this cepstral mean, empty for a stranger."""
        self.abort()
        self._mean = mean

    def feed(self, pcm: bytes) -> str:
        """Take sound; the dictation so far."""
        if not self._begun:
            self._held_back += pcm
            if not self._mean and len(self._held_back) < PRIMING_BYTES:
                return ""
            pcm = self._start()
        self._process(pcm)
        return _text(self._dictation)

    def finish(self) -> list[str]:
        """End the utterance: its text, and the speaker's mean for the next one."""
        if not self._begun:
            self._process(self._start())
        for decoder in self._decoders:
            decoder.end_utt()
        self._begun = False
        commanded = longest_sentence(_text(self._commands), self._sentences)
        text = choose(_text(self._dictation), commanded, self._pronounce)
        return [text, self._dictation.get_cmn(True)]

    def abort(self) -> None:
        """Forget the utterance."""
        if self._begun:
            for decoder in self._decoders:
                decoder.end_utt()
        self._begun, self._held_back = False, b""

    @property
    def _decoders(self) -> tuple[Decoder, Decoder]:
        return self._dictation, self._commands

    def _start(self) -> bytes:
        """Set the mean and start decoding; the sound held back until now."""
        pcm, self._held_back = self._held_back, b""
        mean = self._mean or self._estimate(pcm)
        for decoder in self._decoders:
            decoder.set_cmn(mean)
            decoder.start_utt()
        self._begun = True
        return pcm

    def _estimate(self, pcm: bytes) -> str:
        """The cepstral mean of ``pcm`` alone.

        The decoder gives a mean that was set the weight of some seconds of sound, so one pass only
        moves towards the true mean; two passes tell by how much, and where it is.
        """
        if not pcm:
            return self._cold_mean
        cold = self._cold_mean
        once = self._moved(cold, pcm)
        twice = self._moved(once, pcm)
        first, second = _first(once) - _first(cold), _first(twice) - _first(once)
        if abs(first) <= abs(second):
            return once
        reach = first / (first - second)
        pairs = zip(map(float, cold.split(",")), map(float, once.split(",")), strict=True)
        return ",".join(f"{a + (b - a) * reach:.4f}" for a, b in pairs)

    def _moved(self, mean: str, pcm: bytes) -> str:
        """The mean after hearing ``pcm``, from ``mean`` on; nothing is recognised."""
        self._commands.set_cmn(mean)
        self._commands.start_utt()
        self._commands.process_raw(pcm, True, True)
        moved: str = self._commands.get_cmn(False)
        self._commands.end_utt()
        return moved

    def _process(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), STEP_BYTES):
            for decoder in self._decoders:
                decoder.process_raw(pcm[at : at + STEP_BYTES], False, False)

    def _pronounce(self, word: str) -> Sequence[str]:
        phonemes = self._dictation.lookup_word(word)
        return phonemes.split() if phonemes else tuple(word)


def _text(decoder: Decoder) -> str:
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


def _first(mean: str) -> float:
    return float(mean.partition(",")[0])
