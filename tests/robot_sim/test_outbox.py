"""The outbox: in order, on time, and never more than two seconds of microphone."""

import asyncio
from collections import Counter

from robot_sim.faults import NO_FAULTS, FaultPlan, Faults
from robot_sim.outbox import MAX_WAITING_MEDIA, MAX_WAITING_PICTURES, Kind, Outbox
from tests.virtual_time import virtual


@virtual
async def test_frames_leave_in_the_order_they_came() -> None:
    outbox = Outbox(FaultPlan(NO_FAULTS), Counter())
    for frame in ("one", b"two", "three"):
        outbox.put(frame)
    assert [await outbox.take() for _ in range(3)] == ["one", b"two", "three"]


@virtual
async def test_the_oldest_sound_makes_room_and_control_never_does() -> None:
    counters: Counter[str] = Counter()
    outbox = Outbox(FaultPlan(NO_FAULTS), counters)
    outbox.put("control")
    for number in range(MAX_WAITING_MEDIA + 3):
        outbox.put(bytes([number]))
    assert await outbox.take() == "control"
    assert await outbox.take() == bytes([3])
    assert counters == {"mic_overrun": 3}


@virtual
async def test_a_delayed_frame_leaves_when_its_time_has_come() -> None:
    loop = asyncio.get_running_loop()
    outbox = Outbox(FaultPlan(Faults(delay_ms=250)), Counter())
    began = loop.time()
    outbox.put("late")
    assert await outbox.take() == "late"
    assert 0.249 < loop.time() - began < 0.251


async def test_pictures_never_wait_in_a_row_before_the_microphone() -> None:
    counters: Counter[str] = Counter()
    outbox = Outbox(FaultPlan(NO_FAULTS), counters)
    for number in range(5):
        outbox.put(bytes([number]), Kind.PICTURE)
    outbox.put(b"sound")
    frames = [await outbox.take() for _ in range(MAX_WAITING_PICTURES + 1)]
    assert frames == [b"\x03", b"\x04", b"sound"]
    assert counters == {"picture_overrun": 3}


async def test_sound_that_is_too_old_takes_no_picture_with_it() -> None:
    counters: Counter[str] = Counter()
    outbox = Outbox(FaultPlan(NO_FAULTS), counters)
    outbox.put(b"picture", Kind.PICTURE)
    for number in range(MAX_WAITING_MEDIA + 1):
        outbox.put(bytes([number]))
    assert await outbox.take() == b"picture"
    assert await outbox.take() == b"\x01"
