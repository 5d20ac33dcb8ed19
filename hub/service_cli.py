"""The commands that run the hub as a service: what they are called with.

``run``, ``start`` and ``restart`` take the same options; what they do stands in ``hub/commands/``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.options import AsJson, DataDir, Host, Hub, HubPort, Port, Token, found_hub, settings_of

Begin = Callable[[Any, Mapping[str, str]], None]
"""Takes the settings, and those of them that the command line gave."""


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("run", help="Start the hub and its agents side by side.")(_launching(_run))
    app.command("start", help="The same, beside this terminal; its log goes to a file.")(
        _launching(_start)
    )
    app.command(
        "restart",
        help="Stop it and start it; without options, with those that it was started with.",
    )(_launching(_restart))
    for command in (stop, status, logs, health, settings):
        app.command()(command)


def _launching(begin: Begin) -> Callable[..., None]:
    """A command with the options of a hub's start."""

    def command(
        host: Host = None,
        port: Port = None,
        listen: Annotated[
            list[str] | None,
            typer.Option("--listen", help="Open an old port, as 8000=fictures; may be repeated."),
        ] = None,
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
        log_level: Annotated[
            str | None, typer.Option(help="debug, info, warning or error.")
        ] = None,
        log_json: Annotated[bool | None, typer.Option(help="Log JSON lines.")] = None,
    ) -> None:
        wanted = {
            "server_host": host,
            "server_port": port,
            "hub_listen": ",".join(listen) if listen else None,
            "hub_data_dir": data_dir.absolute() if data_dir else None,
            "hub_tls_cert": tls_cert.absolute() if tls_cert else None,
            "hub_tls_key": tls_key.absolute() if tls_key else None,
            "hub_agents": agents,
            "hub_bench": bench,
            "hub_trace": trace_dir.absolute() if trace_dir else "1" if trace else None,
            "hub_log_level": log_level,
            "hub_log_json": log_json,
        }
        given = {name: str(choice) for name, choice in wanted.items() if choice is not None}
        begin(settings_of(**given), given)

    return command


def _run(settings: Any, given: Mapping[str, str]) -> None:
    from hub.commands.run import run

    run(settings, given)


def _start(settings: Any, given: Mapping[str, str]) -> None:
    from hub.commands.service import start

    started = start(settings, given)
    if not started.anew:
        typer.echo(f"Robot Hub runs already at {started.record.url}: process {started.record.pid}")
    else:
        _tell(started)


def _restart(settings: Any, given: Mapping[str, str]) -> None:
    from hub.commands.service import restart

    _tell(restart(settings, given, settings_of))


def _tell(started: Any) -> None:
    record = started.record
    typer.echo(f"Robot Hub runs at {record.url}: process {record.pid}, log {record.log}")


def stop(
    now: Annotated[bool, typer.Option("--now", help="Cut turns that are under way.")] = False,
    port: HubPort = None,
    data_dir: DataDir = None,
) -> None:
    """Let turns end, then end the hub that uses the data directory. Ctrl-C ends it at once."""
    from hub.commands.service import stop as end

    ran = end(settings_of(hub_data_dir=data_dir), now=now, port=port)
    typer.echo(f"process {ran.pid} has ended" if ran else "Robot Hub is not running")


def status(
    hub: Hub = None, port: HubPort = None, token: Token = None, data_dir: DataDir = None
) -> None:
    """Show the hub: since when, agents, robots, what was counted. Exit code 0: it answers; 1: it
    runs and does not answer; 3: it does not run."""
    from rich.console import Console

    from hub.commands.status import show_status

    raise typer.Exit(show_status(found_hub(hub, port, token, data_dir), Console()))


def logs(
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many.")] = 100,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new ones.")] = False,
    port: HubPort = None,
    data_dir: DataDir = None,
) -> None:
    """Print the end of the log of a hub that `start` started."""
    from hub.commands.logs import show_logs

    show_logs(settings_of(hub_data_dir=data_dir), lines, typer.echo, follow=follow, port=port)


def health(
    json: AsJson = False,
    hub: Hub = None,
    port: HubPort = None,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Check what a hub needs, one line each; exit code 1 if something is wrong."""
    from rich.console import Console

    from hub.commands.health import health as check

    raise typer.Exit(check(found_hub(hub, port, token, data_dir), Console(), as_json=json))


def settings(
    json: AsJson = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print a .env with every default, commented out.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Show every setting: what it is, where it comes from. Secrets are never shown. Exit code 1 if
    one is misspelt or cannot be meant."""
    from rich.console import Console

    from hub.commands.settings import example as text_of_example
    from hub.commands.settings import show_settings

    if example:
        typer.echo(text_of_example(), nl=False)
        return
    raise typer.Exit(show_settings(data_dir, Console(), as_json=json))
