"""Files of strangers become sound, or a clear refusal; never more of either than there may be."""

import asyncio
import resource
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.edge import recordings as recorded
from hub.edge.audio_formats import encode
from hub.edge.limits import MAX_UPLOAD_BYTES
from hub.edge.pieces import Pieces
from hub.edge.recordings import (
    AT_ONCE,
    LONGEST_S,
    WAITING,
    BadRecording,
    RawFormat,
    Recordings,
    RecordingTooLong,
)
from hub.errors import BodyTooLarge, Busy
from hub.jobs.orders import Blob
from tests.fakes.sound_files import KINDS, Kind, file_of, film_of, silence_of, tone

SOUND = tone(2.0)


def decode(
    content: bytes, raw: RawFormat | None = None, left: threading.Event | None = None
) -> Blob:
    return recorded.decode(Pieces(content), raw, left)


def pitch_hz(pcm: Blob) -> float:
    """What is loudest in the middle of s16le at 16 kHz."""
    wave = np.frombuffer(pcm, "<i2")
    middle = wave[len(wave) // 4 : len(wave) * 3 // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(np.argmax(spectrum)) * 16_000 / len(middle)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_becomes_the_sound_in_it(kind: str) -> None:
    pcm = decode(file_of(SOUND, KINDS[kind]))
    assert len(pcm) / 32_000 == pytest.approx(2.0, abs=0.15)
    assert pitch_hz(pcm) == pytest.approx(440, abs=3)
    # One channel of many is taken 3 dB lower.
    loud = 8_000 if KINDS[kind].layout == "mono" else 5_657
    assert np.abs(np.frombuffer(pcm, "<i2")).max() == pytest.approx(loud, rel=0.2)


def test_samples_that_need_no_change_are_kept_as_they_are() -> None:
    assert decode(file_of(SOUND, KINDS["wav"]._replace(rate_hz=16_000))) == SOUND


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_raw_samples_are_what_their_format_says(bits: int, channels: int) -> None:
    mono = np.frombuffer(tone(1.0, rate_hz=48_000), "<i2").astype(np.int64)
    every = np.repeat(mono, channels)
    if bits == 8:
        raw = (every // 256 + 128).astype(np.uint8).tobytes()
    else:
        raw = (every << (bits - 16)).astype("<i8").view(np.uint8).reshape(-1, 8)
        raw = raw[:, : bits // 8].tobytes()
    pcm = decode(raw, RawFormat(48_000, channels, bits))
    assert len(pcm) == pytest.approx(32_000, abs=64)
    assert pitch_hz(pcm) == pytest.approx(440, abs=3)


def test_a_file_is_a_file_whatever_format_is_said_beside_it() -> None:
    for kind in ("wav", "flac", "ogg opus", "webm opus", "m4a"):
        file = file_of(SOUND, KINDS[kind])
        assert decode(file, RawFormat(8_000, 2, 32)) == decode(file)


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (RawFormat(bits=12), 4_800),
        (RawFormat(channels=0), 4_800),
        (RawFormat(channels=9), 4_800),
        (RawFormat(rate_hz=0), 4_800),
        (RawFormat(rate_hz=2_000_000_000), 4_800),
        (RawFormat(), 4_801),
    ],
)
def test_a_format_that_cannot_be_is_refused(raw: RawFormat, size: int) -> None:
    with pytest.raises(BadRecording):
        decode(bytes(size), raw)


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        bytes(100_000),
        b"hello " * 1_000,
        b"\xff" * 10_000,
        b"RIFF",
        b"RIFF\0\0\0\0WAVE",
        b"fLaC" + bytes(1_000),
        b"OggS" + bytes(1_000),
        b"\x1aE\xdf\xa3" + bytes(1_000),
        PLAYLIST,
        b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        film_of(),
        encode(b"", "wav", 16_000),
    ],
)
def test_what_holds_no_sound_is_refused(content: bytes) -> None:
    with pytest.raises(BadRecording) as raised:
        decode(content)
    assert raised.value.code == "bad_audio"
    assert "\n" not in str(raised.value)


def test_containers_that_are_not_expected_are_not_opened() -> None:
    with pytest.raises(BadRecording):
        decode(file_of(SOUND, Kind("nut", "pcm_s16le")))


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile '{0}'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{0}\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_opens_no_file_of_the_hub(playlist: str, tmp_path: Path) -> None:
    there = tmp_path / "secret.wav"
    there.write_bytes(file_of(SOUND, KINDS["wav"]))
    with pytest.raises(BadRecording):
        decode(playlist.format(there).encode())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ogg opus"])
def test_a_file_that_is_cut_off_is_refused(kind: str) -> None:
    """Ogg has no length but that of its last page: there, what came is all there is."""
    file = file_of(SOUND, KINDS[kind])
    with pytest.raises(BadRecording):
        decode(file[: len(file) // 2])


def test_a_wav_file_whose_length_was_not_known_yet_is_whole() -> None:
    file = bytearray(file_of(SOUND, KINDS["wav"]))
    for at in (4, file.index(b"data") + 4):
        file[at : at + 4] = b"\xff" * 4
    assert len(decode(bytes(file))) == pytest.approx(64_000, abs=64)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10_000), st.binary(min_size=1, max_size=40))
def test_broken_files_are_refused_or_read_and_nothing_else(
    kind: str, at: int, damage: bytes
) -> None:
    file = bytearray(file_of(SOUND[:8_000], KINDS[kind]))
    at %= len(file)
    file[at : at + len(damage)] = damage
    with suppress(BadRecording):
        assert decode(bytes(file))


# bounds


def test_ten_minutes_are_read_and_no_more() -> None:
    assert len(decode(silence_of(LONGEST_S))) == LONGEST_S * 32_000
    with pytest.raises(RecordingTooLong) as raised:
        decode(silence_of(LONGEST_S + 1))
    assert raised.value.code == "audio_too_long"


def test_an_hour_of_silence_is_not_made_before_it_is_refused() -> None:
    bomb = silence_of(3_600)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RecordingTooLong):
        decode(bomb)
    # An hour would be 115 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 60_000


def test_raw_samples_that_last_too_long_are_refused_at_once() -> None:
    with pytest.raises(RecordingTooLong):
        decode(bytes(4_000 * (LONGEST_S + 1)), RawFormat(4_000, 1, 8))


def test_a_decoding_that_nobody_waits_for_stops() -> None:
    left = threading.Event()
    left.set()
    with pytest.raises(BadRecording, match="nobody waits"):
        decode(file_of(SOUND, KINDS["mp3"]), left=left)


async def test_they_are_decoded_off_the_loop() -> None:
    recordings, file = Recordings(), Pieces(file_of(SOUND, KINDS["flac"]))
    assert await recordings.pcm_of(file) == decode(file_of(SOUND, KINDS["flac"]))
    assert len(file) == 0, "a file is let go once it was decoded"
    with pytest.raises(BadRecording):
        await recordings.pcm_of(Pieces(b"no sound at all"))
    recordings.close()


async def test_more_than_an_upload_may_have_is_refused_before_it_is_read() -> None:
    recordings = Recordings()
    with pytest.raises(BodyTooLarge):
        await recordings.pcm_of(Pieces(bytes(MAX_UPLOAD_BYTES + 1)))
    recordings.close()


async def test_a_caller_who_leaves_stops_the_decoding() -> None:
    begun, stopped = threading.Event(), threading.Event()

    def waits(content: Pieces, raw: RawFormat | None, left: threading.Event) -> bytes:
        begun.set()
        if left.wait(10):
            stopped.set()
        return b""

    recordings = Recordings(waits)
    async with asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(recordings.pcm_of(Pieces(b"sound")))
        assert await asyncio.to_thread(begun.wait, 10)
        caller.cancel()
    assert await asyncio.to_thread(stopped.wait, 10)
    recordings.close()


async def test_what_would_wait_too_long_is_refused_and_who_leaves_makes_room() -> None:
    recordings = Recordings()
    file = silence_of(LONGEST_S)
    async with asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(recordings.pcm_of(Pieces(file))) for _ in range(AT_ONCE + WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await recordings.pcm_of(Pieces(file))
        for task in waiting:
            task.cancel()
    assert await recordings.pcm_of(Pieces(file_of(SOUND, KINDS["wav"])))
    recordings.close()
