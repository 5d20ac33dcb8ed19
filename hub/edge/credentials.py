"""What a caller shows: ``Authorization: Bearer``, ``X-API-Key``, or a WebSocket's ticket."""

from starlette.requests import HTTPConnection

from hub.errors import NotAuthenticated, TokenInUrl

MAX_CREDENTIAL_CHARS = 4_096
"""A longer one is nobody's: it is not even looked up."""
_IN_URL = ("token", "api_key", "access_token")


def credential_of(connection: HTTPConnection) -> str:
    """The token that ``connection`` shows; empty if none.

    Raises:
        TokenInUrl: it stands in the query, where logs and histories keep it.
        NotAuthenticated: it cannot be anybody's.
    """
    if any(name in connection.query_params for name in _IN_URL):
        raise TokenInUrl(
            "a token in a URL ends up in logs: send Authorization: Bearer … or X-API-Key; a"
            " browser opens a WebSocket with ?ticket=…, made by POST /tickets"
        )
    scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
    token = credential.strip() if scheme.lower() == "bearer" else ""
    token = token or connection.headers.get("x-api-key", "").strip()
    if len(token) > MAX_CREDENTIAL_CHARS:
        raise NotAuthenticated(f"a credential has at most {MAX_CREDENTIAL_CHARS} characters")
    return token


def ticket_of(connection: HTTPConnection) -> str:
    """The ticket that a WebSocket shows; empty if none, and for any other request."""
    if connection.scope["type"] != "websocket":
        return ""
    return connection.query_params.get("ticket", "")[:MAX_CREDENTIAL_CHARS]
