"""``robot-hub pair``: which robots want in, and letting one in by the code that it shows."""

from rich.console import Console
from rich.table import Table

from hub.commands.client import CONNECT_TIMEOUT_S, Address, request

_TIMEOUT_S = 2 * CONNECT_TIMEOUT_S


def show(address: Address, console: Console) -> None:
    """Print the robots that wait; raises as ``hub.commands.client.request``."""
    waiting = request(address, "GET", "/pairing/waiting", None, _TIMEOUT_S)["waiting"]
    if not waiting:
        console.print("no robot waits to be paired", highlight=False)
        return
    table = Table("robot", "code", "address", "seconds left")
    for robot in waiting:
        left = str(robot["expires_in_s"])
        table.add_row(robot["robot_id"], robot["code"], robot["address"], left)
    console.print(table)
    console.print("compare the code with the one that the robot shows: robot-hub pair CODE")


def confirm(address: Address, code: str) -> str:
    """Let in the robot that shows ``code``; its name. Raises as ``hub.commands.client.request``."""
    robot: str = request(address, "POST", "/pairing/confirm", {"code": code}, _TIMEOUT_S)[
        "robot_id"
    ]
    return robot
