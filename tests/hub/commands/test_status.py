"""What ``robot-hub status`` prints of a hub's answer."""

from io import StringIO

from rich.console import Console

from hub.commands.client import Address
from hub.commands.status import show


def test_what_is_wrong_with_a_profile_is_printed_as_it_stands() -> None:
    why = "r1.toml: capabilities: '[/x]' is no gesture or skill [a-z]"
    out = StringIO()
    show(
        {"profiles_refused": {"r1": why}},
        Address("http://127.0.0.1:8080"),
        None,
        Console(file=out, width=200),
    )
    assert f"profile refused: r1: {why}" in out.getvalue()
