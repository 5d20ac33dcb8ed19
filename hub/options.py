"""Options that several commands of ``robot-hub`` have, and the settings that come of them."""

from pathlib import Path
from typing import Annotated, Any

import typer

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the hub keeps its data.")]
Hub = Annotated[str | None, typer.Option("--hub", help="URL of the hub, if not the one here.")]
Token = Annotated[str | None, typer.Option("--token", help="Credential, if not HUB_TOKEN.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]


def settings_of(**overrides: Any) -> Any:
    """The settings, with those of the command line on top; None means not given.

    Raises:
        SettingsError: something in them cannot be meant.
    """
    from hub.settings import load

    return load(lambda sentence: typer.echo(f"robot-hub: {sentence}", err=True), **overrides)
