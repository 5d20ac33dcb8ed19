"""Options that several commands of ``robot-hub`` have, and the settings that come of them."""

from pathlib import Path
from typing import Annotated, Any

import typer

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the hub keeps its data.")]
Hub = Annotated[str | None, typer.Option("--hub", help="URL of the hub, if not the one here.")]
HubPort = Annotated[
    int | None, typer.Option("--port", help="Port of the hub here, if not that of --data-dir.")
]
Token = Annotated[str | None, typer.Option("--token", help="Credential, if not HUB_TOKEN.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]


def found_hub(hub: str | None, port: int | None, token: str | None, data_dir: Path | None) -> Any:
    """The ``hub.commands.client.FoundHub`` that these options of a command mean.

    Raises:
        SettingsError: something in the settings cannot be meant.
        TwoHubs: both a URL and a port are given.
    """
    from hub.commands.client import find_hub

    settings = settings_of(server_port=port, hub_token=token, hub_data_dir=data_dir)
    return find_hub(settings, hub, port)


def settings_of(**overrides: Any) -> Any:
    """The settings, with those of the command line on top; None means not given.

    Raises:
        SettingsError: something in them cannot be meant.
    """
    from hub.settings import load

    return load(lambda sentence: typer.echo(f"robot-hub: {sentence}", err=True), **overrides)
