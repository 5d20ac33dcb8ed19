"""The commands about single robots: what they are called with."""

from typing import Annotated

import typer

from hub.options import DataDir, settings_of

CANNOT = 2
"""Exit code of a check that has found something wrong."""

profile_app = typer.Typer(
    help="Who each robot is: robots/ROBOT.toml in the data directory.", no_args_is_help=True
)
Robot = Annotated[str | None, typer.Argument(help="Only this robot's. Default: all.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(profile_app, name="profile")


@profile_app.command()
def check(robot: Robot = None, data_dir: DataDir = None) -> None:
    """Check profiles: exit code 2 and a sentence for each that is not as it should be."""
    from rich.console import Console

    from hub.commands import profile

    right = profile.check(settings_of(hub_data_dir=data_dir).hub_data_dir, robot, Console())
    raise typer.Exit(0 if right else CANNOT)


@profile_app.command()
def show(robot: Robot = None, data_dir: DataDir = None) -> None:
    """Show what profiles say, and whether it is quiet now."""
    from rich.console import Console

    from hub.commands import profile
    from hub.store.sqlite import wall_time

    directory = settings_of(hub_data_dir=data_dir).hub_data_dir
    profile.show(directory, robot, wall_time(), Console())
