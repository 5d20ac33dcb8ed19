"""Commands that ask a hub which already runs."""

from typing import Any, NamedTuple

import httpx

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


class Address(NamedTuple):
    """Where a hub is, and the credential it is shown."""

    url: str
    token: str | None = None

    @classmethod
    def of(cls, settings: Settings, url: str | None) -> "Address":
        """``url``, else where a hub with these settings listens."""
        token = settings.hub_token.get_secret_value() if settings.hub_token else None
        return cls((url or settings.local_url).rstrip("/"), token)


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


def say(address: Address, robot: str, text: str) -> str:
    """Let a connected robot say ``text``; return how its turn ended. Raises as ``request``."""
    body = {"robot_id": robot, "text": text}
    outcome: str = request(address, "POST", "/say", body, SAY_TIMEOUT_S)["outcome"]
    return outcome
