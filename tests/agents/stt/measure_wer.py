"""Word error rate of recordings through real ears and a real recogniser::

    python -m tests.agents.stt.measure_wer                       # the demo's recordings
    python -m tests.agents.stt.measure_wer FILE.wav "its words"  # any 16 kHz mono WAV file

Each recording is a session of its own, so every first utterance is a stranger's. The noise (-61 dBFS)
is the same every time; where ears cut may differ by a chunk with when the turn model answers. The
seconds are those of the recogniser alone, as fast as it can.
"""

import asyncio
import sys
import time
from pathlib import Path

from agents.ears.agent import Ears
from agents.ears.backends.silero import SileroActivity
from agents.ears.backends.smart_turn import SmartTurn
from agents.ears.engines import Engines
from agents.runtime.inbox import ScopeInbox
from agents.stt.agent import Stt
from agents.stt.backends.base import Recogniser
from agents.stt.backends.pocketsphinx import PocketSphinx
from protocols.envelope import Envelope, Message
from protocols.messages.audio import UtteranceChunk
from protocols.messages.session import SessionAssign
from protocols.messages.transcript import TranscriptFinal
from protocols.messages.voice import (
    UtteranceDrop,
    UtteranceDropped,
    UtteranceEnded,
    UtteranceFinish,
)
from tests.agents.ears.microphone import Emitted, Microphone, Samples, mixed, recording, silence
from tests.recordings import Recording, demo_recordings


def word_errors(reference: str, heard: str) -> int:
    """Substitutions, insertions and deletions between two texts, by words."""
    one, other = reference.lower().split(), heard.lower().split()
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


async def utterances(ears: Ears, sound: Samples, pause_s: float = 0.05) -> list[Emitted]:
    """What ears make of ``sound``; a pause after each tenth of a second lets a turn model answer."""
    microphone = Microphone(ears)
    for at in range(0, len(sound), 1_600):
        microphone.hear(sound[at : at + 1_600])
        await asyncio.sleep(pause_s)
    return microphone.emitted


async def transcripts(recogniser: Recogniser, heard: list[Emitted]) -> list[TranscriptFinal]:
    """The final transcripts of what ears emitted."""
    finals: list[TranscriptFinal] = []
    done = asyncio.Event()
    wanted = sum(isinstance(one.message, UtteranceEnded) for one in heard)

    def emit(message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        if isinstance(message, TranscriptFinal):
            finals.append(message)
            if len(finals) == wanted:
                done.set()
        return True

    inbox = ScopeInbox(lambda name: None)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Stt(recogniser).serve(inbox, emit))
        inbox.put(Envelope(body=SessionAssign()))
        for message, blob, _, _ in heard:
            match message:
                case UtteranceChunk():
                    inbox.put(Envelope(body=message), blob)
                    await asyncio.sleep(0)
                case UtteranceEnded(utterance=number, first_sample=first, last_sample=last):
                    order = UtteranceFinish(utterance=number, first_sample=first, last_sample=last)
                    inbox.put(Envelope(body=order))
                case UtteranceDropped(utterance=number, reason=reason):
                    inbox.put(Envelope(body=UtteranceDrop(utterance=number, reason=reason)))
        if wanted:
            await done.wait()
        inbox.close()
    return finals


async def main(recordings: list[Recording]) -> None:
    engines, recogniser = Engines(SileroActivity(), SmartTurn()), PocketSphinx()
    await engines.start()
    await recogniser.start()
    errors = words = 0
    ears = Ears(engines.activity, engines.turn_model)
    try:
        for path, reference in recordings:
            sound = mixed(silence(0.5), recording(path), silence(2.0))
            heard_by = await utterances(ears, sound)
            began = time.perf_counter()
            heard = " ".join(final.text for final in await transcripts(recogniser, heard_by))
            took = time.perf_counter() - began
            wrong = word_errors(reference, heard)
            errors, words = errors + wrong, words + len(reference.split())
            print(f"{wrong:2} of {len(reference.split()):2}  {took:.1f} s  {path.name}: {heard}")
    finally:
        await recogniser.close()
    print(f"word error rate {errors / words:.1%}")


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main([Recording(Path(given[0]), given[1])] if given else demo_recordings()))
