"""Real ears and the embedded recogniser on recorded voices, cut into utterances by ears."""

import pytest

from agents.ears.agent import Ears
from agents.ears.backends.silero_single import SileroSingleActivity
from agents.stt.backends.pocketsphinx import PocketSphinx
from tests.agents.ears.microphone import mixed, recording, silence
from tests.agents.stt.measure_wer import transcripts, utterances, word_errors
from tests.recordings import demo_recording


@pytest.mark.parametrize("name", ["good_morning.wav", "what_can_you_do.wav"])
async def test_a_recorded_sentence_is_heard_and_understood(name: str) -> None:
    voice, recogniser = demo_recording(name), PocketSphinx()
    activity = SileroSingleActivity()
    await activity.start()
    await recogniser.start()
    sound = mixed(silence(0.5), recording(voice.path), silence(1.5))
    heard = await utterances(Ears(activity), sound, pause_s=0)
    finals = await transcripts(recogniser, heard)
    await recogniser.close()
    assert word_errors(voice.text, " ".join(final.text for final in finals)) <= 1
