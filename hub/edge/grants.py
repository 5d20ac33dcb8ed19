"""What the caller of a request may do, as the doorman found out; what routes check themselves."""

from starlette.requests import HTTPConnection

from hub.edge.rights import ALLOWED, Right
from hub.errors import NotAuthorised
from hub.store.tokens import Grant, Scope
from protocols.identity import checked_robot_id

GRANT = "robot_hub.grant"
"""Where a request's grant stands in its scope's state."""


def grant_of(connection: HTTPConnection) -> Grant:
    """The caller's grant; ``id`` names whose jobs these are."""
    grant = getattr(connection.state, GRANT)
    assert isinstance(grant, Grant)
    return grant


def check_robot(connection: HTTPConnection, robot: str) -> None:
    """Raises:
    NotAuthorised: the caller's token does not cover ``robot``.
    """
    if not grant_of(connection).covers(robot):
        raise NotAuthorised(f"the token is not one for robot {robot}")


def robot_in(connection: HTTPConnection, robot_id: str) -> str:
    """The robot that a path names.

    Raises:
        BadIdentity: no robot can be called so.
        NotAuthorised: the caller's token does not cover it.
    """
    robot = checked_robot_id(robot_id)
    check_robot(connection, robot)
    return robot


def check_right(connection: HTTPConnection, right: Right) -> None:
    """Raises:
    NotAuthorised: the caller's token does not cover ``right``.
    """
    grant = grant_of(connection)
    if right not in ALLOWED[grant.scope]:
        raise NotAuthorised(f"a token of scope {grant.scope} does not cover this")


def check_admin(connection: HTTPConnection) -> None:
    """Raises:
    NotAuthorised: the caller's token is no administrator's.
    """
    check_right(connection, Right.ADMIN)


def may_end_job(connection: HTTPConnection, owner: str) -> bool:
    """Whether the caller may end a job of ``owner``, the id of the grant that asked for it."""
    grant = grant_of(connection)
    return grant.scope is Scope.ADMIN or grant.id == owner
