"""A hub that announces itself is found, by real multicast on this machine."""

import socket

import pytest

from hub.announce import Announcement, addresses_of, announcing
from protocols.announcement import Announced, announced, record
from robot_sim.errors import NoHubFound
from robot_sim.pi.discovery import chosen, find

HERE = ("127.0.0.1",)


def multicasts() -> bool:
    """Whether this machine lets a process join a group on its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            group = socket.inet_aton("224.0.0.251") + socket.inet_aton("127.0.0.1")
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        except OSError:
            return False
    return True


needs_multicast = pytest.mark.skipif(not multicasts(), reason="no multicast on loopback here")


@needs_multicast
async def test_a_hub_that_announces_itself_is_found_by_its_id() -> None:
    pytest.importorskip("zeroconf")
    for number in (1, 2):
        hub_id = f"hub-{number}a2b3c4d5e6f"
        async with announcing(Announcement(hub_id, "127.0.0.1", 8100 + number, tls=False), True):
            found = await find(hub_id, interfaces=HERE)
            assert found == Announced(hub_id, f"ws://127.0.0.1:{8100 + number}")


@needs_multicast
async def test_a_hub_on_loopback_is_not_announced_unless_it_is_asked_for() -> None:
    pytest.importorskip("zeroconf")
    async with announcing(Announcement("hub-ffffffffffff", "127.0.0.1", 8100, tls=False), None):
        with pytest.raises(NoHubFound, match="hub-ffffffffffff"):
            await find("hub-ffffffffffff", timeout_s=0.5, interfaces=HERE)


def test_one_hub_is_the_hub_and_of_several_the_one_that_the_robot_is_paired_with() -> None:
    one, other = Announced("h1", "ws://a:1"), Announced("h2", "ws://b:2")
    assert chosen({"h1": one}, "", 1.0) == one
    assert chosen({"h1": one, "h2": other}, "h2", 1.0) == other
    with pytest.raises(NoHubFound, match=r"several.*ws://a:1 \(h1\)"):
        chosen({"h1": one, "h2": other}, "", 1.0)
    with pytest.raises(NoHubFound, match="h3"):
        chosen({"h1": one}, "h3", 1.0)
    with pytest.raises(NoHubFound, match="no hub"):
        chosen({}, "", 1.0)


def test_what_is_announced_says_how_the_hub_is_spoken_to() -> None:
    assert announced("10.0.0.2", 81, record("h", 1, tls=True)) == ("h", "wss://10.0.0.2:81")
    assert announced("fe80::1", 81, record("h", 1, tls=False)) == ("h", "ws://[fe80::1]:81")
    assert announced("10.0.0.2", 81, {}) is None


def test_a_hub_that_listens_everywhere_is_announced_where_others_reach_it() -> None:
    assert addresses_of("127.0.0.1") == ["127.0.0.1"]
    assert addresses_of("[::]") == addresses_of("0.0.0.0") != []
    assert addresses_of("no.such.host.invalid") == []
