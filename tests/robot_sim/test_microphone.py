"""The microphone: 20 ms after 20 ms, noise always, recordings to the sample."""

import numpy as np

from robot_sim.microphone import CHUNK_SAMPLES, MicChunk, Microphone, Spoken


def capture(microphone: Microphone, chunks: int) -> tuple[list[MicChunk], list[Spoken]]:
    taken = [microphone.capture(-1) for _ in range(chunks)]
    return [chunk for chunk, _ in taken], [spoken for _, more in taken for spoken in more]


def sound(chunks: list[MicChunk]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")


def test_noise_is_there_at_its_level_and_the_same_for_the_same_seed() -> None:
    first, _ = capture(Microphone(noise_dbfs=-58.0, seed=4), 50)
    again, _ = capture(Microphone(noise_dbfs=-58.0, seed=4), 50)
    assert sound(first).tobytes() == sound(again).tobytes()
    level = 20 * np.log10(np.sqrt(np.mean(sound(first).astype(float) ** 2)) / 32768)
    assert abs(level + 58) < 0.5


def test_chunks_count_their_samples() -> None:
    chunks, _ = capture(Microphone(), 3)
    assert [chunk.first_sample for chunk in chunks] == [0, 320, 640]


def test_recordings_follow_each_other_without_a_gap() -> None:
    microphone = Microphone(noise_dbfs=-120)
    microphone.say(np.full(500, 1000, np.int16), "one")
    microphone.say(np.full(300, 2000, np.int16), "two")
    assert microphone.speaking
    chunks, spoken = capture(microphone, 3)
    heard = sound(chunks)
    assert (heard[:500] == 1000).all()
    assert (heard[500:800] == 2000).all()
    assert not heard[800:].any()
    assert spoken == [("one", True), ("one", False), ("two", True), ("two", False)]
    assert not microphone.speaking


def test_loud_sound_clips_instead_of_wrapping() -> None:
    microphone = Microphone(noise_dbfs=-20)
    microphone.say(np.full(CHUNK_SAMPLES, 32767, np.int16))
    chunks, _ = capture(microphone, 1)
    assert sound(chunks).min() > 0


def test_a_live_source_that_is_not_taken_is_dropped_after_two_seconds() -> None:
    microphone = Microphone(noise_dbfs=-120)
    for value in range(1, 31):
        microphone.hear(np.full(1600, value, np.int16))
    assert microphone.live_dropped == 30 * 1600 - 32_000
    chunks, _ = capture(microphone, 1)
    assert sound(chunks)[0] == 11


def test_the_tape_holds_what_the_hub_gets() -> None:
    tape = bytearray()
    microphone = Microphone(tape=tape.extend)
    chunks, _ = capture(microphone, 4)
    assert bytes(tape) == b"".join(chunk.pcm for chunk in chunks)
