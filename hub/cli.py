"""The command line: what ``robot-hub`` is called with. What it does stands in ``hub/commands/``.

A command that cannot do its work says so in one sentence on stderr and exits with 2.
"""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any

import typer

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

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the hub keeps its data.")]
Hub = Annotated[str | None, typer.Option("--hub", help="URL of the hub, if not the one here.")]
Token = Annotated[str | None, typer.Option("--token", help="Credential, if not HUB_TOKEN.")]


def _settings(**overrides: Any) -> Any:
    from hub.settings import load

    return load(lambda sentence: typer.echo(f"robot-hub: {sentence}", err=True), **overrides)


@app.command()
def run(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM file of the certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of its key.")] = None,
    agents: Annotated[
        str | None, typer.Option(help="Agents to start, as kind or kind:role, by commas.")
    ] = None,
    bench: Annotated[
        bool | None, typer.Option("--bench", help="Scripted engines that follow marked audio.")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Record what happens, without what is said.")
    ] = False,
    trace_dir: Annotated[Path | None, typer.Option(help="Where traces go; implies it.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_json: Annotated[bool | None, typer.Option(help="Log JSON lines.")] = None,
) -> None:
    """Start the hub and its agents side by side."""
    from hub.commands.run import run as start

    start(
        _settings(
            server_host=host,
            server_port=port,
            hub_data_dir=data_dir,
            hub_tls_cert=tls_cert,
            hub_tls_key=tls_key,
            hub_agents=agents,
            hub_bench=bench,
            hub_trace=str(trace_dir) if trace_dir else "1" if trace else None,
            hub_log_level=log_level,
            hub_log_json=log_json,
        )
    )


@app.command()
def demo(
    wav: Annotated[Path | None, typer.Option(help="A recording is the user.")] = None,
    mic: Annotated[bool, typer.Option("--mic", help="You are: microphone, loudspeaker.")] = False,
    text: Annotated[bool, typer.Option("--text", help="You are, by keyboard.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Keep running.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write what was heard and said there.")] = None,
    reference: Annotated[str | None, typer.Option(help="What the recording says.")] = None,
    max_wer: Annotated[
        float | None, typer.Option(help="Highest word error rate, from 0 to 1.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Watch a simulated robot hold a conversation through a hub of its own."""
    from hub.commands.demo import demo as show

    choices = {
        "wav": wav,
        "mic": mic,
        "text": text,
        "live": live,
        "save": save,
        "reference": reference,
        "max_wer": max_wer,
    }
    given = {name: choice for name, choice in choices.items() if choice not in (None, False)}
    raise typer.Exit(show(_settings(hub_data_dir=data_dir), given))


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
    settings = _settings(hub_token=token, hub_data_dir=data_dir)
    raise typer.Exit(put_load(settings, hub, given, trace=trace))


@app.command()
def status(hub: Hub = None, token: Token = None) -> None:
    """Show a running hub: agents, robots, what was counted."""
    from rich.console import Console

    from hub.commands.client import Address, show_status

    show_status(Address.of(_settings(hub_token=token), hub), Console())


@app.command()
def say(robot: str, text: str, hub: Hub = None, token: Token = None) -> None:
    """Let a connected robot say something."""
    from hub.commands.client import Address
    from hub.commands.client import say as ask

    outcome = ask(Address.of(_settings(hub_token=token), hub), robot, text)
    typer.echo(f"{robot}: {outcome}")


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

    code = examine(_settings(), Console(), everything=everything, as_json=json, limit_s=limit)
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
    raise typer.Exit(command.setup(_settings(), wishes, Console(), command.confirmed_by_user))


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
    label: Annotated[str, typer.Option(help="What people call it.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it; it is shown only this once."""
    from hub.commands import tokens

    typer.echo(tokens.add(_settings(hub_data_dir=data_dir).hub_data_dir, robot, label))


@tokens_app.command("list")
def tokens_list(data_dir: DataDir = None) -> None:
    """Show the tokens there are, without their secrets."""
    from rich.console import Console

    from hub.commands import tokens

    tokens.show(_settings(hub_data_dir=data_dir).hub_data_dir, Console())


@tokens_app.command("revoke")
def tokens_revoke(token_id: str, data_dir: DataDir = None) -> None:
    """Make a token worthless, by the id that the list shows."""
    from hub.commands import tokens

    tokens.revoke(_settings(hub_data_dir=data_dir).hub_data_dir, token_id)
    typer.echo(f"{token_id} is revoked")


@models_app.callback()
def models(context: typer.Context, hub: Hub = None, token: Token = None) -> None:
    """Without a command: show what each agent of a running hub has loaded."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    from hub.commands.client import Address
    from hub.commands.model_jobs import show_loaded

    show_loaded(Address.of(_settings(hub_token=token), hub), Console())


@models_app.command("load")
def models_load(
    kind: Annotated[str, typer.Argument(help="planner, stt or tts.")],
    model: str,
    role: Annotated[str, typer.Option(help="Which of several of that kind.")] = "primary",
    hub: Hub = None,
    token: Token = None,
) -> None:
    """Let an agent serve with another model; who is being served finishes with the old one."""
    from rich.console import Console

    from hub.commands import model_jobs
    from hub.commands.client import Address

    address = Address.of(_settings(hub_token=token), hub)
    model_jobs.load(address, kind, model, Console(), role)


@models_app.command("unload")
def models_unload(
    kind: Annotated[str, typer.Argument(help="planner, stt or tts.")],
    role: Annotated[str, typer.Option(help="Which of several of that kind.")] = "primary",
    hub: Hub = None,
    token: Token = None,
) -> None:
    """Free the memory of an agent's model; it is loaded again when it is needed."""
    from rich.console import Console

    from hub.commands import model_jobs
    from hub.commands.client import Address

    model_jobs.unload(Address.of(_settings(hub_token=token), hub), kind, Console(), role)


@models_app.command("pull")
def models_pull(
    name: Annotated[str | None, typer.Argument(help="Default: STT_MODEL_SIZE.")] = None,
) -> None:
    """Fetch a faster-whisper model."""
    from hub.commands import models

    typer.echo(f"{models.pull(name or _settings().stt_model_size)}")


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
