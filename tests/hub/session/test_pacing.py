"""How far speech may run ahead of the loudspeaker."""

from hypothesis import given
from hypothesis import strategies as st

from hub.session.link import LinkProfile
from hub.session.pacing import Frame, Playout
from protocols.messages.robot import Playing
from protocols.qos import SPEECH_AHEAD_MS

MS = 1_000_000
DEVICE = LinkProfile(frame_ms=20, lead_ms=300, max_lead_ms=1_000, can_flush=True)
SOCKET = LinkProfile(frame_ms=10, lead_ms=120, max_lead_ms=120, can_flush=False)
RATE = 16_000


def speech(ms: int) -> bytes:
    return bytes(range(256)) * (ms * 32 // 256) + bytes(ms * 32 % 256)


def playing(profile: LinkProfile, ms: int, complete: bool = True) -> Playout:
    playout = Playout(profile, RATE)
    playout.begin(1)
    playout.push(1, 0, 9, speech(ms))
    if complete:
        playout.finish(1, ms * 16, 0)
    playout.open(1)
    return playout


def length_ms(frames: list[Frame]) -> int:
    return sum(header.samples for header, _ in frames) // 16


def test_only_the_lead_leaves_at_once_and_then_as_it_plays() -> None:
    playout = playing(DEVICE, 2_000)
    assert length_ms(playout.due(1_000 * MS)) == 300
    assert playout.due(1_001 * MS) == []
    assert length_ms(playout.due(1_100 * MS)) == 100


def test_the_wire_of_a_client_that_cannot_flush_is_kept_short() -> None:
    playout = playing(SOCKET, 2_000)
    sent = sum(length_ms(playout.due((1_000 + t) * MS)) for t in range(0, 505, 5))
    assert sent == 620


def test_every_sample_leaves_in_order_and_the_last_frame_may_be_short() -> None:
    playout = playing(SOCKET, 333)
    frames = [f for t in range(0, 600, 5) for f in playout.due((1_000 + t) * MS)]
    assert b"".join(pcm for _, pcm in frames) == speech(333)
    assert frames[-1][0].samples == 3 * 16
    assert playout.all_sent


def test_nothing_leaves_before_the_face_is_set() -> None:
    playout = Playout(DEVICE, RATE)
    playout.begin(1)
    playout.push(1, 0, 0, speech(100))
    assert playout.due(MS) == []
    playout.open(1)
    assert length_ms(playout.due(MS)) == 100


def test_a_held_playout_sends_nothing_and_goes_on_where_it_was() -> None:
    playout = playing(DEVICE, 2_000)
    playout.due(1_000 * MS)
    playout.hold(1_100 * MS)
    playout.acknowledge(1, 100 * 16, 0, 1_110 * MS)
    assert playout.due(5_000 * MS) == []
    assert playout.heard_ms(5_000 * MS) == 100
    playout.release(5_000 * MS)
    assert playout.due(5_000 * MS)[0][0].first_sample == 300 * 16


def test_a_flushed_turn_never_leaves_again() -> None:
    playout = playing(DEVICE, 2_000)
    playout.flush(1)
    playout.open(1)
    assert playout.due(MS) == []
    assert playout.push(1, 2_000 * 16, 0, speech(20)) is False
    playout.begin(1)
    assert playout.push(1, 0, 0, speech(20)) is False
    assert playout.stale == 2


def test_lost_audio_becomes_silence_and_is_counted() -> None:
    playout = playing(DEVICE, 100, complete=False)
    playout.push(1, 200 * 16, 0, speech(100))
    playout.finish(1, 300 * 16, 0)
    pcm = b"".join(pcm for _, pcm in playout.due(MS))
    assert pcm == speech(100) + bytes(3200) + speech(100)
    assert playout.gaps == 1


def test_an_end_that_overtakes_its_audio_waits_for_it_a_moment() -> None:
    playout = playing(DEVICE, 90, complete=False)
    playout.finish(1, 100 * 16, 0)
    assert length_ms(playout.due(400 * MS)) == 80
    assert not playout.all_sent
    assert length_ms(playout.due(501 * MS)) == 20
    assert playout.all_sent


def test_what_is_heard_is_what_the_device_acknowledged() -> None:
    playout = playing(DEVICE, 2_000)
    playout.due(1_000 * MS)
    assert playout.heard_ms(1_200 * MS) == 0
    playout.acknowledge(1, 150 * 16, 0, 1_200 * MS)
    assert playout.heard_ms(1_250 * MS) == 150
    playout.acknowledge(1, 10_000 * 16, 0, 1_250 * MS)
    assert playout.heard_ms(1_250 * MS) == 150


def test_between_acknowledgements_the_position_is_estimated_and_bounded() -> None:
    playout = playing(DEVICE, 2_000)
    playout.due(1_000 * MS)
    playout.acknowledge(1, 100 * 16, 0, 1_100 * MS)
    assert playout.position_ms(1_180 * MS) == 180
    assert playout.position_ms(1_900 * MS) == 250
    playout.hold(1_180 * MS)
    assert playout.position_ms(1_900 * MS) == 180
    playout.acknowledge(1, 190 * 16, 0, 1_200 * MS)
    assert playout.position_ms(1_900 * MS) == 190


def test_an_estimate_never_says_that_the_response_is_over() -> None:
    playout = playing(DEVICE, 200)
    playout.due(1_000 * MS)
    playout.acknowledge(1, 150 * 16, 0, 1_100 * MS)
    assert playout.position_ms(1_300 * MS) == 150
    playout.acknowledge(1, 200 * 16, 0, 1_300 * MS)
    assert playout.position_ms(1_300 * MS) == 200


def test_a_silent_device_is_not_run_away_from() -> None:
    playout = playing(DEVICE, 4_000)
    sent = sum(length_ms(playout.due((1_000 + t) * MS)) for t in range(0, 3_000, 5))
    assert sent == 300 + 500


def test_a_device_that_ran_dry_is_not_taken_to_have_played_on() -> None:
    playout = playing(DEVICE, 100, complete=False)
    playout.due(1_000 * MS)
    playout.acknowledge(1, 100 * 16, 0, 1_110 * MS)
    assert playout.due(1_120 * MS) == []
    playout.push(1, 100 * 16, 9, speech(2_000))
    sent = sum(length_ms(playout.due((1_500 + t) * MS)) for t in range(0, 100, 5))
    assert sent <= 300 + 100


def test_a_wire_that_delays_never_makes_a_device_hold_more_than_the_largest_lead() -> None:
    """What is on the wire when it stalls arrives at once: all of it has to fit the device."""
    playout = playing(DEVICE, 6_000)
    for underruns in range(1, 4):
        playout.acknowledge(1, 0, underruns, 1_000 * MS)
    heard_ms = 0
    sent = length_ms(playout.due(1_000 * MS))
    for at in range(1_005, 4_000, 5):
        if at % 700 < 5:
            heard_ms = max(heard_ms, min(at - 1_400, sent))
            playout.acknowledge(1, heard_ms * 16, 3, at * MS)
        sent += length_ms(playout.due(at * MS))
        assert sent - heard_ms <= DEVICE.max_lead_ms
    assert sent > 2_000


def test_an_underrun_widens_the_lead_up_to_its_bound() -> None:
    playout = playing(DEVICE, 2_000)
    playout.due(MS)
    for underruns in range(1, 9):
        playout.acknowledge(1, 16, underruns, MS)
    assert playout.lead_ms == DEVICE.max_lead_ms - 150


def test_with_the_widest_lead_frames_still_leave_one_by_one() -> None:
    """Acknowledgements come ten times a second: frames are not to wait for them and leave in lumps."""
    playout = playing(DEVICE, 6_000)
    playout.due(1_000 * MS)
    lumps = []
    for at in range(1_005, 4_000, 5):
        if at % 100 == 50:
            playout.acknowledge(1, (at - 1_000) * 16, min(8, at // 100 - 9), at * MS)
        lumps.append(length_ms(playout.due(at * MS)))
    assert max(lumps[300:]) == DEVICE.frame_ms


def test_credit_follows_the_playhead_and_is_not_granted_in_crumbs() -> None:
    playout = playing(DEVICE, 3_000)
    assert playout.credit_ms(MS) == SPEECH_AHEAD_MS
    playout.due(MS)
    playout.acknowledge(1, 200 * 16, 0, 200 * MS)
    assert playout.credit_ms(200 * MS) is None
    playout.due(400 * MS)
    playout.acknowledge(1, 500 * 16, 0, 500 * MS)
    assert playout.credit_ms(500 * MS) == SPEECH_AHEAD_MS + 500


@given(
    st.lists(st.integers(1, 150), max_size=20),
    st.lists(st.integers(1, 60), min_size=1, max_size=60),
    st.sampled_from([DEVICE, SOCKET]),
)
def test_never_further_ahead_than_the_lead(
    chunks: list[int], waits: list[int], profile: LinkProfile
) -> None:
    playout = Playout(profile, RATE)
    playout.begin(1)
    playout.open(1)
    now, pushed, sent = MS, 0, 0
    for index, wait in enumerate(waits):
        if index < len(chunks):
            playout.push(1, pushed, 0, speech(chunks[index]))
            pushed += chunks[index] * 16
        frames = playout.due(now)
        sent += sum(header.samples for header, _ in frames)
        assert sent - playout.played_samples(now) <= profile.lead_ms * 16
        assert sent <= pushed
        now += wait * MS


@given(st.integers(1_000, 1_500), st.integers(0, 40))
def test_until_the_moment_it_names_nothing_is_due_and_then_a_frame_is(at: int, late: int) -> None:
    playout = playing(DEVICE, 5_000)
    playout.due(1_000 * MS)
    playout.due(at * MS)
    playout.acknowledge(1, (at - 1_000) * 16, 0, (at + late) * MS)
    playout.due((at + late) * MS)

    quiet_until = playout.quiet_until_ns

    assert playout.due(quiet_until - 1) == []
    assert length_ms(playout.due(quiet_until)) == 20


def test_whatever_may_let_more_out_ends_the_quiet() -> None:
    playout = playing(DEVICE, 5_000)
    playout.due(1_000 * MS)
    assert playout.quiet_until_ns == 1_020 * MS
    playout.acknowledge(1, 160, 0, 1_005 * MS)
    assert playout.quiet_until_ns == 0
    playout.due(1_005 * MS)
    playout.begin(2)
    assert playout.quiet_until_ns == 0


def test_a_response_that_has_left_is_looked_after_no_more() -> None:
    playout = playing(DEVICE, 200)
    assert playout.active
    assert length_ms(playout.due(1_000 * MS)) == 200
    assert not playout.active


def test_the_pacing_clock_is_looked_after_until_the_end_has_sounded() -> None:
    playout = playing(SOCKET, 100)
    assert length_ms(playout.due(1_000 * MS)) == 100
    assert playout.active
    playout.due(1_101 * MS)
    assert not playout.active


def after_a_cut(
    playing_: Playing | None, acknowledged_ms: int = 100
) -> tuple[Playout, list[Frame]]:
    """A playout that had sent 300 ms, and what leaves at once on the next connection."""
    playout = playing(DEVICE, 2_000)
    playout.due(1_000 * MS)
    playout.acknowledge(1, acknowledged_ms * 16, 0, 1_000 * MS)
    playout.suspend()
    assert playout.due(9_000 * MS) == []
    playout.resume(playing_, 9_000 * MS)
    return playout, playout.due(9_000 * MS)


def at(samples_ms: int, received_ms: int, turn: int = 1) -> Playing:
    return Playing(turn=turn, samples=samples_ms * 16, received=received_ms * 16)


def test_a_device_that_kept_its_buffer_gets_only_what_follows() -> None:
    _, frames = after_a_cut(at(250, 290))
    assert frames[0][0].first_sample == 290 * 16
    assert length_ms(frames) == 240 + 20
    assert b"".join(pcm for _, pcm in frames) == speech(2_000)[290 * 32 :][: 260 * 32]


def test_a_device_that_dropped_its_buffer_gets_everything_from_what_it_played() -> None:
    playout, frames = after_a_cut(at(130, 130))
    assert frames[0][0].first_sample == 130 * 16
    assert playout.heard_ms(9_000 * MS) == 130


def test_a_device_that_does_not_know_gets_everything_from_what_it_acknowledged() -> None:
    for playing_ in (None, at(500, 500, turn=7)):
        _, frames = after_a_cut(playing_)
        assert frames[0][0].first_sample == 100 * 16


def test_what_a_device_claims_is_never_more_than_what_was_sent() -> None:
    playout, frames = after_a_cut(at(1_900, 1_900))
    assert frames[0][0].first_sample == 300 * 16
    assert playout.heard_ms(9_000 * MS) == 300


def test_nothing_of_a_fenced_turn_leaves_after_a_cut() -> None:
    playout = playing(DEVICE, 2_000)
    playout.due(1_000 * MS)
    playout.suspend()
    playout.flush(1)
    playout.resume(at(0, 0), 2_000 * MS)
    assert playout.due(2_000 * MS) == []


def test_while_a_robot_is_away_only_what_it_acknowledged_counts_as_heard() -> None:
    playout = playing(DEVICE, 2_000)
    playout.due(1_000 * MS)
    playout.acknowledge(1, 1_600, 0, 1_000 * MS)
    playout.suspend()
    assert playout.position_ms(5_000 * MS) == playout.heard_ms(5_000 * MS) == 100


@given(st.lists(st.integers(1, 90), min_size=1, max_size=12), st.integers(0, 300))
def test_pieces_of_any_length_leave_as_one_stream_and_again_from_any_sample(
    lengths_ms: list[int], again_ms: int
) -> None:
    whole = b"".join(bytes([number + 1]) * (ms * 32) for number, ms in enumerate(lengths_ms))
    playout = Playout(DEVICE, RATE)
    playout.begin(1)
    first = 0
    for number, ms in enumerate(lengths_ms):
        playout.push(1, first, 0, bytes([number + 1]) * (ms * 32))
        first += ms * 16
    playout.finish(1, first, 0)
    playout.open(1)

    def sent() -> bytes:
        return b"".join(pcm for _, pcm in playout.due(1_000 * MS))

    lead = whole[: 300 * 32]
    assert sent() == lead[: playout.sent_samples * 2]
    again = min(again_ms * 16, playout.sent_samples)
    playout.suspend()
    playout.resume(Playing(turn=1, samples=0, received=again), 1_000 * MS)
    assert sent() == lead[again * 2 : playout.sent_samples * 2]
