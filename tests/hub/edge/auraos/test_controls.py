"""Which control a sentence names."""

import pytest

from hub.edge.auraos.controls import control_named


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("click the Save button", "Save"),
        ("Click the Save button.", "Save"),
        ("Please click on the File menu and wait", "File"),
        ("press OK", "OK"),
        ("Press OK, then close the window", "OK"),
        ("Where is the Terminal icon?", "Terminal"),
        ("where's “Save as…”?", "Save as…"),
        ('click on "Sign in" please', "Sign in"),
        ("click 'Don't save'", "Don't save"),
        ("click the button labeled Cancel", "Cancel"),
        ("tap the link called Forgot password?", "Forgot password"),
        ("Select the New Folder entry in the list", "New Folder"),
        ("find the Search field", "Search"),
        ("double-click the Trash icon", "Trash"),
        ("Open Settings", "Settings"),
        ("I want you to click Apply to go on", "Apply"),
    ],
)
def test_the_label_of_a_control_is_found(sentence: str, name: str) -> None:
    assert control_named(sentence) == name


@pytest.mark.parametrize(
    "sentence",
    [
        "What is on this screen?",
        "Describe the picture",
        "click it",
        "click here",
        "Type hello into the field",
        "click",
        "click the " + "very " * 30 + "long button",
        "",
    ],
)
def test_whoever_names_no_control_is_not_taken_to(sentence: str) -> None:
    assert control_named(sentence) is None
