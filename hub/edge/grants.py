"""What the caller of a request may do, as the doorman found out."""

from starlette.requests import HTTPConnection

from hub.edge.doorman import GRANT
from hub.errors import NotAuthorised
from hub.store.tokens import Grant


def check_robot(connection: HTTPConnection, robot: str) -> None:
    """Raises:
    NotAuthorised: the caller's token is another robot's.
    """
    grant = getattr(connection.state, GRANT)
    assert isinstance(grant, Grant)
    if not grant.covers(robot):
        raise NotAuthorised(f"the token is not one for robot {robot}")


def check_client(connection: HTTPConnection) -> None:
    """Raises:
    NotAuthorised: the caller's token is a robot's, and what it asks for is the whole hub's.
    """
    grant = getattr(connection.state, GRANT)
    assert isinstance(grant, Grant)
    if not grant.is_client:
        raise NotAuthorised("a robot's token does not cover this; use one made without a robot")
