"""All settings of all processes: what each is, where that comes from, and that none is forgotten."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from hub.commands.settings import defaults_of_all, example, show_settings
from hub.setting_list import COMMAND_LINE, DEFAULT, DERIVED, INTERNAL, Told, example_of, lines_of
from hub.settings import KNOWN_NAMES, load
from protocols.setting import HIDDEN, SettingRow, SettingsReport, is_secret, shown

ROOT = Path(__file__).parent.parent.parent
SECRET = "hunter2-and-more"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without ``.env`` and an environment without settings."""
    for name in (*KNOWN_NAMES, "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Shown:
    """What the command prints as JSON, and its exit code."""

    def __init__(self) -> None:
        console = Console(width=200)
        with console.capture() as capture:
            self.code = show_settings(None, console, as_json=True)
        self.text = capture.get()
        document = json.loads(self.text)
        self.problems: list[str] = document["problems"]
        self.warnings: list[str] = document["warnings"]
        self.by_name = {line["name"]: line for line in document["settings"]}

    def of(self, name: str) -> tuple[str, str]:
        """Value and source."""
        return self.by_name[name]["value"], self.by_name[name]["source"]


def row(*names: str, value: str = "", default: str = "", secret: bool = False) -> SettingRow:
    return SettingRow(names=names, value=value, default=default, secret=secret)


def told(
    given: dict[str, str] | None = None, env: dict[str, str] | None = None, **dotenv: str
) -> Told:
    return Told(given or {}, env or {}, dotenv)


def test_the_example_holds_every_setting_with_its_default() -> None:
    assert (ROOT / ".env.example").read_text() == example(), (
        "write it anew: robot-hub settings --example > .env.example"
    )


def test_every_setting_has_a_meaning_and_stands_once_in_the_example() -> None:
    pairs = [
        (above.removeprefix("# "), line[1:].partition("=")[0])
        for above, line in pairwise(example().splitlines())
        if line[:1] == "#" and line[1:2].isupper()
    ]

    names = [name for _, name in pairs]
    assert len(names) == len(set(names)) > 100
    assert [name for meaning, name in pairs if len(meaning) < 6] == [], (
        "a docstring under the field, or a line in hub/setting_meanings.py"
    )
    assert not INTERNAL & set(names)


def test_a_copied_example_changes_nothing(alone: Path) -> None:
    before = load()

    (alone / ".env").write_text(example())

    assert load() == before


def test_a_value_is_named_with_where_it_comes_from(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone / ".env").write_text("MAX_ACTIONS=3\nSERVER_PORT=1\nEARS_SILENCE_MS=900\n")
    monkeypatch.setenv("server_port", "2")
    monkeypatch.setenv("LOG_LEVEL", "debug")

    shown = Shown()

    assert shown.code == 0
    assert shown.of("MAX_ACTIONS") == ("3", ".env")
    assert shown.of("SERVER_PORT") == ("2", "environment")
    assert shown.of("EARS_SILENCE_MS") == ("900", ".env")
    assert shown.of("SERVER_HOST") == ("127.0.0.1", DEFAULT)
    assert shown.of("HUB_LOG_LEVEL") == ("DEBUG", DERIVED)
    assert shown.of("HUB_BUS_DIR") == (f"{alone}/data/bus", DERIVED)
    assert {"hub", "stt"} <= set(shown.by_name["STT_BACKEND"]["readers"])


def test_no_secret_is_ever_shown(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [name for name in KNOWN_NAMES if is_secret((name,), str)]
    assert {"HF_TOKEN", "HUB_TOKEN", "OPENAI_API_KEY"} <= set(secrets)
    for name in secrets:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OLLAMA_URL", f"ftp://me:{SECRET}@host/")  # not one that can be meant

    shown = Shown()

    assert SECRET not in shown.text
    assert shown.of("HF_TOKEN") == (HIDDEN, "environment")
    assert any("OLLAMA_URL" in sentence for sentence in shown.problems)


def test_credentials_inside_an_address_are_not_shown() -> None:
    text = shown("http://me:pw@a/v1,https://k@b", secret=False)

    assert text == "http://…@a/v1,https://…@b"


def test_misspelt_and_impossible_settings_are_pointed_out_together(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_GARD", "1")
    monkeypatch.setenv("SERVER_PROT", "1")
    monkeypatch.setenv("MAX_ACTIONS", "99")
    monkeypatch.setenv("EARS_SILENCE_MS", "1")
    (alone / ".env").write_text("STT_LANGAUGE=de\n")

    shown = Shown()

    assert shown.code == 1
    assert shown.problems == [
        "HUB_GARD is no setting of Robot Hub; is HUB_GUARD meant?",
        "STT_LANGAUGE is no setting of Robot Hub; is STT_LANGUAGE meant?",
        "MAX_ACTIONS: Input should be less than or equal to 5",
        "EARS_SILENCE_MS: Input should be greater than or equal to 200",
    ]
    assert shown.warnings == ["SERVER_PROT is no setting and is ignored; is SERVER_PORT meant?"]
    assert shown.of("MAX_ACTIONS") == ("99", "environment")


def test_of_several_names_the_first_that_is_set_counts() -> None:
    report = SettingsReport(reader="planner", rows=(row("A_URL", "B_URL", value="a"),))

    only_b = {line.name: line for line in lines_of([report], told(B_URL="a"))}
    both = {line.name: line for line in lines_of([report], told(A_URL="a", B_URL="b"))}

    assert (only_b["A_URL"].value, only_b["A_URL"].source) == ("", DEFAULT)
    assert (only_b["B_URL"].value, only_b["B_URL"].source) == ("a", ".env")
    assert (both["B_URL"].value, both["B_URL"].source) == ("b", ".env; A_URL goes before")


def test_the_command_line_goes_before_the_environment_and_that_before_dotenv() -> None:
    said = told({"PORT": "1"}, {"PORT": "2", "HOST": "h"}, PORT="3", HOST="i", NAME="n", EMPTY="")

    assert said.source("PORT") == COMMAND_LINE
    assert said.source("HOST") == "environment"
    assert said.source("NAME") == ".env"
    assert said.source("EMPTY") == said.source("OTHER") == ""


def test_a_name_that_nobody_reads_is_shown_if_it_is_set_but_not_its_value() -> None:
    lines = lines_of([], told(OLD_NAME="x"), {"OLD_NAME", "OTHER_NAME"})

    assert [(line.name, line.value, line.readers) for line in lines] == [("OLD_NAME", HIDDEN, ())]


def test_settings_that_hub_and_agents_share_have_one_default() -> None:
    defaults: dict[str, dict[str, str]] = {}
    for report in defaults_of_all():
        for each in report.rows:
            if not each.secret and len(each.names) == 1:
                defaults.setdefault(each.names[0], {})[report.reader] = each.default.lower()
    differ = {name: by for name, by in defaults.items() if len(set(by.values())) > 1}

    assert differ.keys() <= {"HUB_LOG_JSON"}, differ


def test_an_example_shows_a_path_of_its_maker_as_anybodys() -> None:
    report = SettingsReport(reader="hub", rows=(row("X_DIR", default="/home-of/me/data"),))

    assert "#X_DIR=~/data\n" in example_of(lines_of([report], told()), "/home-of/me")
