"""Commands that ask a hub which already runs."""

from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from hub import pidfile
from hub.settings import Settings
from protocols.errors import HubError

CONNECT_TIMEOUT_S = 5.0
SAY_TIMEOUT_S = 120.0


class HubUnreachable(HubError):
    """No hub answers at the address."""

    code = "hub_unreachable"


class HubRefused(HubError):
    """The hub answers, and says no."""

    code = "hub_refused"


class TwoHubs(HubError):
    """A command is told of two hubs."""

    code = "two_hubs"


class OtherPort(HubError):
    """The hub of the data directory is not the one that is meant."""

    code = "other_port"


class Address(NamedTuple):
    """Where a hub is, and the credential it is shown."""

    url: str
    token: str | None = None

    @classmethod
    def of(cls, settings: Settings, url: str | None) -> "Address":
        """``url``, else where a hub with these settings listens."""
        token = settings.hub_token.get_secret_value() if settings.hub_token else None
        return cls((url or settings.local_url).rstrip("/"), token)


class FoundHub(NamedTuple):
    """The hub that a command means: where it is, who supervises it if that is known, whether it is
    (or would be) on this machine."""

    settings: Settings
    address: Address
    record: pidfile.Record | None
    is_here: bool


def find_hub(settings: Settings, url: str | None = None, port: int | None = None) -> FoundHub:
    """The hub at ``url``; else the one of this machine that listens at ``port``, which is in the
    settings as well; else the one that uses the data directory, wherever it listens; else where one
    with these settings would.

    Raises:
        TwoHubs: both a URL and a port are given.
    """
    if url is not None:
        if port is not None:
            raise TwoHubs("--hub and --port each say which hub is meant: give one of them")
        return FoundHub(settings, Address.of(settings, url), None, is_here=False)
    record = pidfile.running(settings.hub_data_dir)
    if record is not None and not is_at(record, port):
        record = None
    there = record.url if record is not None and record.url else None
    return FoundHub(settings, Address.of(settings, there), record, is_here=True)


def is_at(record: pidfile.Record, port: int | None) -> bool:
    """Whether the hub of ``record`` listens at ``port``; None: any will do."""
    return port is None or not record.url or urlsplit(record.url).port == port


def check_port(record: pidfile.Record | None, port: int | None, data_dir: Path) -> None:
    """Raises:
    OtherPort: the hub of ``record``, which uses ``data_dir``, does not listen at ``port``.
    """
    if record is not None and not is_at(record, port):
        raise OtherPort(
            f"the hub with the data directory {data_dir} listens at {record.url}, not at port {port}:"
            " name the other's with --data-dir"
        )


def answers(address: Address) -> bool:
    """Whether a hub runs at ``address``; one whose certificate is not trusted here counts as none."""
    try:
        return request(address, "GET", "/livez", None, CONNECT_TIMEOUT_S) == {"alive": True}
    except HubError:
        return False


def request(
    address: Address, method: str, path: str, body: dict[str, Any] | None, timeout_s: float
) -> dict[str, Any]:
    """The hub's JSON answer.

    Raises:
        HubUnreachable: nobody answers there.
        HubRefused: the answer is an error.
    """
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
    try:
        answer = httpx.request(
            method,
            f"{address.url}{path}",
            json=body,
            headers=headers,
            timeout=timeout,
            trust_env=False,  # a hub is on this network: no proxy is the way to it
        )
        document: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise HubUnreachable(f"no hub answers at {address.url}: {reason}") from None
    except ValueError:
        raise HubUnreachable(f"what answers at {address.url} is no Robot Hub") from None
    if answer.is_error:
        detail = document.get("detail") or document.get("error") or answer.reason_phrase
        raise HubRefused(f"the hub at {address.url} refused ({answer.status_code}): {detail}")
    return document


def say(
    address: Address, robot: str, text: str, *, wait_s: float | None = None, urgent: bool = False
) -> str:
    """Let a connected robot say ``text``; return how its turn ended. With ``wait_s`` it waits for so
    long until the robot is free; what is ``urgent`` yields to nobody. Raises as ``request``."""
    body: dict[str, Any] = {"robot_id": robot, "text": text}
    if wait_s is not None:
        body |= {"when": "free", "ttl_s": wait_s}
    if urgent:
        body["priority"] = "safety"
    outcome: str = request(address, "POST", "/say", body, SAY_TIMEOUT_S + (wait_s or 0))["outcome"]
    return outcome
