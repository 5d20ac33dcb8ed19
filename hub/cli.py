"""The command line: what ``robot-hub`` is called with. What it does stands in ``hub/commands/``.

A command that cannot do its work says so in one sentence on stderr and exits with 2.
"""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from hub import robot_cli, service_cli
from hub.options import DataDir, Hub, HubPort, Token, found_hub, settings_of
from protocols.errors import HubError

app = typer.Typer(
    name="robot-hub",
    help="The self-hosted hub that gives robots ears, a mind, a voice, a face and eyes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tokens_app = typer.Typer(help="Credentials of robots and programs.", no_args_is_help=True)
models_app = typer.Typer(
    help="Models: what agents serve with, and what lies on disk.", invoke_without_command=True
)
app.add_typer(tokens_app, name="tokens")
app.add_typer(models_app, name="models")

CANNOT = 2
"""Exit code of a command that cannot do what it was told to."""

service_cli.register(app)
robot_cli.register(app)


@app.command()
def demo(
    wav: Annotated[Path | None, typer.Option(help="A recording is the user.")] = None,
    scenario: Annotated[Path | None, typer.Option(help="Another scenario (TOML).")] = None,
    mic: Annotated[bool, typer.Option("--mic", help="You are: microphone, loudspeaker.")] = False,
    text: Annotated[bool, typer.Option("--text", help="You are, by keyboard.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Keep running.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write what was heard and said there.")] = None,
    reference: Annotated[str | None, typer.Option(help="What the recording says.")] = None,
    max_wer: Annotated[
        float | None, typer.Option(help="Highest word error rate, from 0 to 1.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(help="It has a camera: a folder of JPEGs, `ball` or `world`.")
    ] = None,
    camera_fps: Annotated[
        float | None, typer.Option(min=0.1, max=15.0, help="Pictures a second. Default: 5.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Watch a simulated robot hold a conversation through a hub of its own."""
    from hub.commands.demo import demo as show

    choices = {
        "wav": wav,
        "scenario": scenario,
        "mic": mic,
        "text": text,
        "live": live,
        "save": save,
        "reference": reference,
        "max_wer": max_wer,
        "camera": camera,
        "camera_fps": camera_fps,
    }
    given = {name: choice for name, choice in choices.items() if choice not in (None, False)}
    raise typer.Exit(show(settings_of(hub_data_dir=data_dir), given))


@app.command()
def load(
    robots: Annotated[int | None, typer.Option(help="How many converse at once.")] = None,
    minutes: Annotated[float | None, typer.Option(help="For how long.")] = None,
    hub: Annotated[
        str | None, typer.Option("--hub", help="URL of a hub in bench mode; else its own.")
    ] = None,
    talk: Annotated[
        float | None, typer.Option(help="Share of the time in which users speak.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Chooses who says what when.")] = None,
    trace: Annotated[
        bool | None, typer.Option(help="Trace its own hub and check that. Default: yes.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="File for the result.")] = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Let many simulated robots converse with a hub in bench mode, and measure it."""
    from hub.commands.load import load as put_load

    choices = {"robots": robots, "minutes": minutes, "talk": talk, "seed": seed, "json": json}
    given = {name: choice for name, choice in choices.items() if choice is not None}
    settings = settings_of(hub_token=token, hub_data_dir=data_dir)
    raise typer.Exit(put_load(settings, hub, given, trace=trace))


@app.command()
def say(
    robot: str,
    text: str,
    free: Annotated[
        float | None,
        typer.Option(
            "--when-free", min=1, max=600, help="Wait so many seconds until nobody speaks."
        ),
    ] = None,
    urgent: Annotated[
        bool, typer.Option("--urgent", help="Interrupt whatever it does, at any hour.")
    ] = False,
    hub: Hub = None,
    port: HubPort = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Let a connected robot say something."""
    from hub.commands.client import say as ask

    address = found_hub(hub, port, token, data_dir).address
    outcome = ask(address, robot, text, wait_s=free, urgent=urgent)
    typer.echo(f"{robot}: {outcome}")


@app.command("mcp")
def mcp_bridge(
    hub: Hub = None, port: HubPort = None, token: Token = None, data_dir: DataDir = None
) -> None:
    """Offer a running hub's tools to a program that speaks MCP over stdin and stdout."""
    from hub.commands.mcp import bridge

    bridge(found_hub(hub, port, token, data_dir).address)


@app.command()
def pair(
    code: Annotated[
        str | None, typer.Argument(help="The six digits that a robot shows; none: who waits.")
    ] = None,
    hub: Hub = None,
    port: HubPort = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Let a robot in: it gets a token of its own."""
    from rich.console import Console

    from hub.commands import pair as command

    address = found_hub(hub, port, token, data_dir).address
    if code is None:
        command.show(address, Console())
    else:
        typer.echo(f"{command.confirm(address, code)} is paired")


_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def supervisor(context: typer.Context) -> None:
    """Be a robot: microphone, loudspeaker, face and camera of this machine, on a hub."""
    from hub.commands.simulator import become

    become("supervisor", context.args)


@app.command("face-bridge", context_settings=_PASSED_ON, add_help_option=False)
def face_bridge(context: typer.Context) -> None:
    """Connect a face on a serial port of this machine to a hub."""
    from hub.commands.simulator import become

    become("face-bridge", context.args)


@app.command()
def doctor(
    everything: Annotated[
        bool, typer.Option("--all", help="Try every engine that this installation has.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
    limit: Annotated[
        float, typer.Option(min=1.0, help="Seconds that one engine may take.")
    ] = 300.0,
) -> None:
    """Try every configured engine: does it load, does it answer, what does it take?"""
    from rich.console import Console

    from hub.commands.doctor import doctor as examine

    code = examine(settings_of(), Console(), everything=everything, as_json=json, limit_s=limit)
    raise typer.Exit(code)


@app.command()
def setup(
    profile: Annotated[
        str | None, typer.Option(help="pi, laptop or gpu. Default: what this machine is.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what .env says already.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing.")] = False,
) -> None:
    """Choose engines for this machine, fetch what they need, write .env and try them."""
    from rich.console import Console

    from hub.commands import setup as command

    wishes = command.Wishes(command.profile_named(profile), dry_run, yes, force, offline)
    raise typer.Exit(command.setup(settings_of(), wishes, Console(), command.confirmed_by_user))


@app.command("check-trace")
def check_trace(
    files: Annotated[list[Path], typer.Argument(help="Traces of one hub, in their order.")],
) -> None:
    """Check a recorded trace: exit code 1 and the first broken promise, with what led to it."""
    from rich.console import Console

    from hub.commands.check_trace import check_trace as check

    raise typer.Exit(check(files, Console()))


@app.command()
def trace(
    file: Path,
    robot: Annotated[str | None, typer.Option(help="Only this robot's turns.")] = None,
    turn: Annotated[int | None, typer.Option(help="Only this turn.")] = None,
) -> None:
    """Print the turns of a recorded trace as timelines."""
    from rich.console import Console

    from hub.commands.trace import show_trace

    show_trace(file, robot, turn, Console())


@tokens_app.command("add")
def tokens_add(
    robot: Annotated[
        str | None, typer.Argument(help="The robot it is for; none: any, for a program.")
    ] = None,
    robot_option: Annotated[
        str | None, typer.Option("--robot", help="The same, as an option.")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            help="robot, client, observer or admin. Default: robot, or client without one."
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="What people call it.")] = "",
    rate: Annotated[
        int | None, typer.Option(help="Requests a minute. Default: HUB_RATE_PER_MINUTE.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it; it is shown only this once."""
    from hub.commands import tokens

    directory = settings_of(hub_data_dir=data_dir).hub_data_dir
    wanted = tokens.scope_named(scope)
    typer.echo(tokens.add(directory, robot or robot_option, label, wanted, rate))


@tokens_app.command("list")
def tokens_list(data_dir: DataDir = None) -> None:
    """Show the tokens there are, without their secrets."""
    from rich.console import Console

    from hub.commands import tokens

    tokens.show(settings_of(hub_data_dir=data_dir).hub_data_dir, Console())


@tokens_app.command("revoke")
def tokens_revoke(token_id: str, data_dir: DataDir = None) -> None:
    """Make a token worthless, by the id that the list shows."""
    from hub.commands import tokens

    tokens.revoke(settings_of(hub_data_dir=data_dir).hub_data_dir, token_id)
    typer.echo(f"{token_id} is revoked")


@models_app.callback()
def models(
    context: typer.Context,
    hub: Hub = None,
    port: HubPort = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Without a command: show what each agent of a running hub has loaded."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    from hub.commands.model_jobs import show_loaded

    show_loaded(found_hub(hub, port, token, data_dir).address, Console())


@models_app.command("load")
def models_load(
    kind: Annotated[str, typer.Argument(help="planner, stt or tts.")],
    model: str,
    role: Annotated[str, typer.Option(help="Which of several of that kind.")] = "primary",
    hub: Hub = None,
    port: HubPort = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Let an agent serve with another model; who is being served finishes with the old one."""
    from rich.console import Console

    from hub.commands import model_jobs

    address = found_hub(hub, port, token, data_dir).address
    model_jobs.load(address, kind, model, Console(), role)


@models_app.command("unload")
def models_unload(
    kind: Annotated[str, typer.Argument(help="planner, stt or tts.")],
    role: Annotated[str, typer.Option(help="Which of several of that kind.")] = "primary",
    hub: Hub = None,
    port: HubPort = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Free the memory of an agent's model; it is loaded again when it is needed."""
    from rich.console import Console

    from hub.commands import model_jobs

    model_jobs.unload(found_hub(hub, port, token, data_dir).address, kind, Console(), role)


@models_app.command("pull")
def models_pull(
    name: Annotated[str | None, typer.Argument(help="Default: STT_MODEL_SIZE.")] = None,
) -> None:
    """Fetch a faster-whisper model."""
    from hub.commands import models

    typer.echo(f"{models.pull(name or settings_of().stt_model_size)}")


@models_app.command("list")
def models_list() -> None:
    """Show which recognition models there are, and which lie on disk."""
    from rich.console import Console

    from hub.commands import models

    models.show(Console())


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("robot-hub"))


def main() -> None:
    """The entry point ``robot-hub``."""
    try:
        app()
    except HubError as error:
        typer.echo(f"robot-hub: {error}", err=True)
        sys.exit(CANNOT)


if __name__ == "__main__":
    main()
