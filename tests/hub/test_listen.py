"""Old ports and the base paths they open onto."""

import pytest

from hub.listen import Listen, checked_listens, listen_of
from hub.settings import SettingsError, load


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("8000=fictures", Listen("", 8000, "fictures")),
        ("0.0.0.0:8081=auraos", Listen("0.0.0.0", 8081, "auraos")),
        ("[::1]:8100=robot-buddy", Listen("[::1]", 8100, "robot-buddy")),
        ("hub.local:8000=wespoke", Listen("hub.local", 8000, "wespoke")),
        (" 0=localai ", Listen("", 0, "localai")),
    ],
)
def test_a_listener_is_a_port_and_a_family(text: str, listen: Listen) -> None:
    assert listen_of(text) == listen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fictures", "is like 8000=fictures"),
        ("8000", "is like 8000=fictures"),
        ("8000=", "is like 8000=fictures"),
        ("70000=fictures", "the highest is 65535"),
        ("8000=facebook", "base paths are robot-buddy, auraos"),
        ("::1:8000=fictures", "is like 8000=fictures"),
        ("", "is like 8000=fictures"),
    ],
)
def test_what_is_no_listener_is_refused_in_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        listen_of(text)


def test_one_port_opens_onto_one_base_only() -> None:
    with pytest.raises(ValueError, match="port 8000 twice"):
        checked_listens(("8000=fictures", "8000=wespoke"))
    assert checked_listens(("0=fictures", "0=wespoke")) == ("0=fictures", "0=wespoke")


def test_a_listener_of_the_settings_has_the_hubs_address_unless_it_says_another() -> None:
    settings = load(hub_listen="8000=fictures, 127.0.0.2:8081=auraos", server_host="127.0.0.9")

    assert settings.listens == (
        Listen("127.0.0.9", 8000, "fictures"),
        Listen("127.0.0.2", 8081, "auraos"),
    )
    assert [each.base for each in settings.listens] == ["/fictures", "/auraos"]


def test_the_documents_own_port_of_fictures_opens_onto_it() -> None:
    assert load(api_port=8000).listens == (Listen("127.0.0.1", 8000, "fictures"),)
    there = load(api_port=8000, api_host="127.0.0.3").listens
    assert there == (Listen("127.0.0.3", 8000, "fictures"),)


def test_an_old_port_that_others_can_reach_makes_the_hub_public() -> None:
    assert load(hub_listen="8000=fictures").is_loopback
    public = load(hub_listen="8081=auraos,0.0.0.0:8000=fictures")
    assert not public.is_loopback
    assert public.exposed_host == "0.0.0.0"


def test_a_wrong_listener_is_an_error_that_names_its_setting() -> None:
    with pytest.raises(SettingsError, match=r"HUB_LISTEN names 'facebook'"):
        load(hub_listen="8000=facebook")
