"""``robot-hub setup``: a good recogniser, voice and language model for this machine, fetched, written
into ``.env`` and tried."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from hub.commands.doctor import doctor
from hub.commands.supplies import NotHad, Source, Supplies, install_command, is_installed
from hub.env_file import Merged, broken_line, merged, names_in
from hub.environment import ENV_FILE
from hub.errors import StartRefused
from hub.gpu import GpuProbe, Nvml, first_visible
from hub.profiles import (
    CHOSEN_NAMES,
    Filled,
    Guess,
    Machine,
    Need,
    NeedKind,
    Part,
    Profile,
    filled,
    guessed,
    open_parts,
    parts_of,
)
from hub.settings import KNOWN_NAMES, Settings, load

COMPLETE, INCOMPLETE = 0, 1

_OLLAMA_URL = "http://localhost:11434"
_SERVERS = ("OPENAI_BASE_URL", "LLM_BASE_URL")


class SetupRefused(StartRefused):
    """Setup was not told to go on, or ``.env`` cannot be written."""

    code = "setup_refused"


class Wishes(NamedTuple):
    """What the command line says. ``profile`` None: look at the machine."""

    profile: Profile | None = None
    dry_run: bool = False
    yes: bool = False
    force: bool = False
    offline: bool = False


def setup(
    settings: Settings,
    wishes: Wishes,
    console: Console,
    confirmed: Callable[[], bool],
    probe: GpuProbe | None = None,
    source: Source | None = None,
) -> int:
    """Set this machine up; return the exit code: 0 if it has the best of its profile and that
    works, 1 if something could not be had or does not work.

    Args:
        confirmed: asks the user whether to go on.
        source: where what is needed comes from, if not from the network.

    Raises:
        SetupRefused: the user says no, or the settings cannot be written.
        SettingsError: an agent cannot read the settings that are there, or what would be written
            contradicts them; then nothing was.
    """
    given = _given(settings, wishes.force)
    source = source or _supplies(given, wishes.offline)
    machine = looked_at(settings, given, source, probe or Nvml())
    guess = guessed(machine)
    profile = wishes.profile or guess.profile
    if profile is Profile.GPU and machine.gpu is None:
        raise SetupRefused(
            "the profile gpu needs a GPU that NVIDIA's driver shows, and none is shown"
        )
    console.print(_profile_sentence(profile, wishes.profile is None, guess), highlight=False)
    all_parts = parts_of(profile, machine)
    parts = open_parts(all_parts, given)
    _show_plan(console, all_parts, parts, given)
    if wishes.dry_run:
        _show_settings(console, profile, [Filled(part, part.options[0]) for part in parts], wishes)
        return COMPLETE
    if not wishes.yes and not confirmed():
        raise SetupRefused("nothing was changed")
    chosen = [filled(part, source.obtain) for part in parts]
    for one in chosen:
        _show_choice(console, one)
    new = _show_settings(console, profile, chosen, wishes)
    _check(_settings_of(chosen), new.kept)
    _write(ENV_FILE, new.text)
    code = doctor(load(), console)
    if any(one.refusals for one in chosen):
        again = f"robot-hub setup --profile {profile} --force"
        console.print(f"`{again}` tries again what could not be had.", markup=False, soft_wrap=True)
        return INCOMPLETE
    return INCOMPLETE if code else COMPLETE


def looked_at(
    settings: Settings, given: Mapping[str, str], source: Source, probe: GpuProbe
) -> Machine:
    """This machine, with what runs beside the hub."""
    return Machine(
        system=platform.system(),
        architecture=platform.machine(),
        memory_gib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30),
        cores=os.cpu_count() or 1,
        gpu=first_visible(probe.read().gpus, settings.visible_gpus),
        has_ollama=source.has_ollama(),
        names_server=any(given.get(name) for name in _SERVERS),
    )


def step_for(need: Need) -> str:
    """How a need is met, as a command or in words; empty if it is met already."""
    match need.kind:
        case NeedKind.EXTRA:
            if is_installed(need.name):
                return ""
            try:
                return " ".join(install_command(need.name))
            except NotHad as error:
                return str(error)
        case NeedKind.WHISPER:
            return f"robot-hub models pull {need.name}"
        case NeedKind.OLLAMA:
            return f"ollama pull {need.name}"
        case NeedKind.REPOSITORY:
            return f"download {need.name} from the model hub"


def _supplies(given: Mapping[str, str], offline: bool) -> Supplies:
    return Supplies(
        given.get("OLLAMA_URL", _OLLAMA_URL),
        given.get("HF_TOKEN") or given.get("HUGGINGFACE_HUB_TOKEN", ""),
        offline=offline or given.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"),
    )


def _given(settings: Settings, force: bool) -> dict[str, str]:
    """The settings that somebody has set, by their names. Those of ``.env`` do not count where they
    are to be overwritten."""
    given = {
        name.upper(): value
        for name, value in settings.child_environment().items()
        if name.upper() in KNOWN_NAMES or name.upper().startswith(("HF_", "VLLM_"))
    }
    text = _read(ENV_FILE)
    if force:
        given = {n: v for n, v in given.items() if n not in CHOSEN_NAMES & names_in(text)}
    return given


def _profile_sentence(profile: Profile, was_guessed: bool, guess: Guess) -> str:
    if was_guessed:
        return f"This machine gets the profile {profile}: {guess.why}."
    other = "" if profile is guess.profile else f" (by itself it would get {guess.profile})"
    return f"This machine gets the profile {profile}, as you say{other}."


def _show_plan(
    console: Console, all_parts: Sequence[Part], parts: Sequence[Part], given: Mapping[str, str]
) -> None:
    open_trades = {part.trade for part in parts}
    for part in all_parts:
        if part.trade not in open_trades:
            kept = f"{part.setting}={given[part.setting]}"
            console.print(f"  {part.trade}: stays {kept}", markup=False, highlight=False)
    for part in parts:
        option = part.options[0]
        console.print(f"  {part.trade}: {option.what}", markup=False, highlight=False)
        for step in filter(None, map(step_for, option.needs)):
            console.print(f"    $ {step}", markup=False, highlight=False, soft_wrap=True)


def _show_choice(console: Console, one: Filled) -> None:
    for refusal in one.refusals:
        console.print(f"  not {refusal}", style="yellow", markup=False, highlight=False)
    console.print(f"  {one.part.trade}: {one.option.what}", markup=False, highlight=False)


def _show_settings(
    console: Console, profile: Profile, chosen: Sequence[Filled], wishes: Wishes
) -> Merged:
    """Print what is written into ``.env`` and what is kept of it; return its new text."""
    settings = _settings_of(chosen)
    heading = f"robot-hub setup --profile {profile}"
    new = merged(_read(ENV_FILE), settings, heading, force=wishes.force)
    where = ENV_FILE.absolute()
    console.print(f"{where}:", markup=False, highlight=False, soft_wrap=True)
    for name, value in settings.items():
        if name in new.kept:
            line = f"  {name}={new.kept[name]} stays; --force writes {value}"
        else:
            line = f"  {name}={value}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return new


def _settings_of(chosen: Sequence[Filled]) -> dict[str, str]:
    return {name: value for one in chosen for name, value in one.option.settings.items()}


def _check(settings: Mapping[str, str], kept: Mapping[str, str]) -> None:
    """Raise what a hub that starts with them would: the GPU's budget, for one, is of several."""
    asked = {name.lower(): value for name, value in settings.items() if name not in kept}
    fields: dict[str, Any] = {n: v for n, v in asked.items() if n in Settings.model_fields}
    load(None, **fields)


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeError) as error:
        raise SetupRefused(f"{path} cannot be read: {error}") from error
    if number := broken_line(text):
        raise SetupRefused(f"line {number} of {path} is no setting: correct it first")
    return text


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole; only its owner may read it, since tokens may stand in it."""
    path = path.resolve()
    try:
        handle, fresh = tempfile.mkstemp(prefix=".env-", dir=path.parent)
    except OSError as error:
        raise SetupRefused(f"{path} cannot be written: {error.strerror}") from error
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(fresh, 0o600)
        os.replace(fresh, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(fresh)
        raise SetupRefused(f"{path} cannot be written: {error.strerror}") from error


def profile_named(name: str | None) -> Profile | None:
    """The profile that the command line names, if it does.

    Raises:
        SetupRefused: there is none of that name.
    """
    try:
        return Profile(name) if name is not None else None
    except ValueError:
        listed = ", ".join(Profile)
        raise SetupRefused(f"there is no profile {name!r}; there are {listed}") from None


def confirmed_by_user() -> bool:
    """Ask on the terminal.

    Raises:
        SetupRefused: there is none.
    """
    if not sys.stdin.isatty():
        raise SetupRefused("nobody can be asked whether to go on; say --yes")
    import typer

    return typer.confirm("Go on?", default=True)
