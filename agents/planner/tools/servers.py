"""Which servers of tools there are, as the settings name them. Pure but for reading a file.

``MCP_SERVERS`` is a JSON object, or the path of a file with one: by name, each server has
``command``, ``args`` and ``env`` (a process that is started here), or ``url`` and ``headers``
(streamable HTTP). This is how desktop programs write it, who put ``mcpServers`` around it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MAX_SERVERS = 16
MAX_FILE_BYTES = 64 * 1024
SUPERVISOR = "supervisor"
"""What the server of ``MCP_SERVER_URL`` is called."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")

Texts = dict[str, Annotated[str, Field(max_length=4_096)]]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StdioServer(_Spec):
    """A process that speaks over its stdin and stdout. Of the agent's environment it is told what
    any program needs (``PATH``, ``HOME`` …); secrets come by
    ``env``."""

    command: str = Field(min_length=1, max_length=1_000)
    args: tuple[str, ...] = ()
    env: Texts = {}


class HttpServer(_Spec):
    """A server of streamable HTTP."""

    url: str = Field(min_length=1, max_length=2_000)
    headers: Texts = {}


Server = StdioServer | HttpServer
_SERVERS: TypeAdapter[dict[str, Server]] = TypeAdapter(dict[str, Server])


def servers_of(text: str, supervisor_url: str, hosts: Iterable[str]) -> dict[str, Server]:
    """The servers, by name.

    Raises:
        ValueError: something in ``text`` cannot be meant, or a URL's host is not among ``hosts``.
    """
    found = _written(text) if text.strip() else {}
    if supervisor_url and SUPERVISOR in found:
        raise ValueError(f"{SUPERVISOR} is named by MCP_SERVERS and by MCP_SERVER_URL")
    if supervisor_url:
        found[SUPERVISOR] = HttpServer(url=supervisor_url)
    if len(found) > MAX_SERVERS:
        raise ValueError(f"{len(found)} servers are named, {MAX_SERVERS} are allowed")
    allowed = frozenset(host.lower() for host in hosts if host)
    for name, server in found.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a server: letters, digits, - and _")
        if isinstance(server, HttpServer):
            _check_url(name, server.url, allowed)
    return found


def _written(text: str) -> dict[str, Server]:
    document = _document(text.strip())
    if isinstance(document, Mapping) and set(document) == {"mcpServers"}:
        document = document["mcpServers"]
    try:
        return _SERVERS.validate_python(document)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise ValueError(f"{place or 'MCP_SERVERS'}: {fault['msg']}") from None


def _document(text: str) -> Any:
    try:
        if not text.startswith("{"):
            file = Path(text).expanduser()
            if file.stat().st_size > MAX_FILE_BYTES:
                raise ValueError(f"{file} has more than {MAX_FILE_BYTES} bytes")
            text = file.read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise ValueError(f"the file it names cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg}, line {error.lineno}") from None


def _check_url(name: str, url: str, allowed: frozenset[str]) -> None:
    """This machine may always be asked; any other only if it is named, too."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ValueError(f"the url of {name} is no http(s) address without a user")
    if host not in allowed and not _is_here(host):
        raise ValueError(f"the url of {name} is at {host}, which MCP_HOSTS does not name")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
