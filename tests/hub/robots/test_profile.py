"""What a robot's file may say."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.robots.profile import NO_PROFILE, BadProfile, profile_of
from protocols.messages.session import Attention

WHOLE = """
name = "Milo"
persona = '''
You love the sea.
You speak in short sentences.
'''
language = "en"
voice = "en-gb"
volume = 0.8
attention = "wake_word"
capabilities = ["nod", "patrol_drift"]
tools = ["weather.*", "calendar.today"]
time_zone = "Europe/Berlin"
quiet_hours = "21:00-07:00"
quiet_volume = 0.4
"""


def test_a_whole_profile_is_read() -> None:
    profile = profile_of(WHOLE, "r1.toml")
    assert profile.name == "Milo"
    assert profile.persona == "You love the sea.\nYou speak in short sentences."
    assert profile.capabilities == ("nod", "patrol_drift")
    assert profile.attention is Attention.WAKE_WORD
    assert profile.zone is not None
    assert profile.zone.key == "Europe/Berlin"


def test_an_empty_file_says_nothing() -> None:
    assert profile_of("", "r1.toml") == NO_PROFILE


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('volum = 1', "r1.toml: volum is no field of a robot's profile; is volume meant?"),
        ('quiet = "x"', "r1.toml: quiet is no field of a robot's profile; is quiet_hours meant?"),
        ('zzz = 1', "r1.toml: zzz is no field of a robot's profile"),
        ('volume = 1.1', "r1.toml: volume: input should be less than or equal to 1"),
        ('volume = "loud"', "r1.toml: volume: input should be a valid number"),
        ('volume = nan', "r1.toml: volume: "),
        (f'name = "{"x" * 41}"', "r1.toml: name: "),
        ('name = "a\\nb"', "r1.toml: name: must be one line of text"),
        ('persona = "a\\u0000"', "r1.toml: persona: must be text without control characters"),
        (f'persona = "{"x" * 1_001}"', "r1.toml: persona: "),
        ('language = "English"', "r1.toml: language: "),
        ('capabilities = ["nodd"]', "r1.toml: capabilities: 'nodd' is no gesture or skill; is nod"),
        ('capabilities = "nod"', "r1.toml: capabilities: "),
        ('tools = ["weather"]', "r1.toml: tools.0: "),
        ('time_zone = "Europe/Bonn"', "r1.toml: time_zone: 'Europe/Bonn' is no time zone"),
        ('time_zone = "../../etc/passwd"', "r1.toml: time_zone: "),
        ('quiet_hours = "21-7"', 'r1.toml: quiet_hours: must be two times like "21:00-07:00"'),
        ('quiet_hours = "07:00-07:00"', "r1.toml: quiet_hours: must begin and end at different"),
        ('daily_limit_s = -1', "r1.toml: daily_limit_s: input should be greater than or equal"),
        ('attention = "asleep"', "r1.toml: attention: input should be 'open', 'push_to_talk'"),
        ("name = ", "r1.toml is no TOML: "),
        (f"volume = {'9' * 5_000}", "r1.toml is no TOML: "),
        (f"tools = {'[' * 5_000}", "r1.toml is no TOML: "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_it(text: str, sentence: str) -> None:
    with pytest.raises(BadProfile) as refused:
        profile_of(text, "r1.toml")
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_a_profile_or_a_sentence(text: str) -> None:
    with contextlib.suppress(BadProfile):
        profile_of(text, "r1.toml")


_VALUES = (
    st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.text(max_size=5))
)


@given(st.dictionaries(st.sampled_from([*type(NO_PROFILE).model_fields]), _VALUES))
def test_whatever_values_are_given_a_profile_is_made_or_refused(fields: dict[str, object]) -> None:
    try:
        profile = type(NO_PROFILE).model_validate(fields)
    except ValidationError:
        return
    assert 0 <= profile.volume <= 1
