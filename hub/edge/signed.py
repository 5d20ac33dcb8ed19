"""JSON Web Tokens (RFC 7519) of another issuer, where the settings name its key.

The key decides the one algorithm that is accepted; what a token says of itself decides nothing.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import SecretStr

from hub.errors import NotAuthenticated, StartRefused
from hub.store.tokens import ANY_ROBOT, Grant, Scope
from protocols.errors import BadIdentity
from protocols.identity import checked_robot_id

MIN_SECRET_BYTES = 32
"""RFC 7518 §3.2: an HS256 key has at least as many bytes as the hash."""
MIN_RSA_BITS = 2_048
LEEWAY_S = 10
"""By how much the clocks of issuer and hub may differ."""


class BadKey(StartRefused):
    """A key of the settings cannot verify tokens."""

    code = "bad_key"


class _Key(NamedTuple):
    value: Any
    algorithm: str


class Keys(Protocol):
    """Which settings say whose tokens are accepted."""

    @property
    def hub_jwt_key(self) -> SecretStr | None: ...

    @property
    def hub_jwt_public_key(self) -> str: ...

    @property
    def hub_jwt_audience(self) -> str: ...

    @property
    def hub_jwt_issuer(self) -> str: ...


class Verifier:
    """Reads tokens that were signed by the holder of one key.

    Claims: ``exp`` is required, ``scope`` names one of ours (other words in it are ignored), and
    with scope ``robot`` the claim ``robot`` names the robot. ``aud`` and ``iss`` are checked
    where the settings name them; a token that has an ``aud`` where they name none is refused.

    Raises:
        BadKey: the key is too short, of a kind that is not known, or no key.
    """

    def __init__(
        self,
        *,
        secret: str = "",
        public_key: str = "",
        audience: str = "",
        issuer: str = "",
    ) -> None:
        self._key = _public(public_key) if public_key else _shared(secret)
        self._audience = audience or None
        self._issuer = issuer or None

    def grant(self, token: str) -> Grant:
        """What ``token`` allows.

        Raises:
            NotAuthenticated: it was not signed by the key, is expired, or names no scope of ours.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.value,
                algorithms=[self._key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise NotAuthenticated(f"the JSON Web Token is refused: {error}") from None
        scope = _scope(claims)
        return Grant(_name(claims, token), _robot(claims, scope), scope)


def verifier_of(keys: Keys) -> Verifier:
    """The verifier of these settings.

    Raises:
        BadKey: the key cannot verify tokens, or its file cannot be read.
    """
    public = keys.hub_jwt_public_key
    if public and "-----BEGIN" not in public:
        try:
            public = Path(public).expanduser().read_text()
        except (OSError, UnicodeError) as error:
            raise BadKey(f"HUB_JWT_PUBLIC_KEY cannot be read: {error}") from None
    return Verifier(
        secret=keys.hub_jwt_key.get_secret_value() if keys.hub_jwt_key is not None else "",
        public_key=public,
        audience=keys.hub_jwt_audience,
        issuer=keys.hub_jwt_issuer,
    )


def _shared(secret: str) -> _Key:
    key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise BadKey(f"HUB_JWT_KEY has {len(key)} bytes; {MIN_SECRET_BYTES} are the least")
    return _Key(key, "HS256")


def _public(pem: str) -> _Key:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"HUB_JWT_PUBLIC_KEY is no public key in PEM form: {error}") from None
    match key:
        case RSAPublicKey() if key.key_size >= MIN_RSA_BITS:
            return _Key(key, "RS256")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return _Key(key, "ES256")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP384R1):
            return _Key(key, "ES384")
        case Ed25519PublicKey():
            return _Key(key, "EdDSA")
    raise BadKey(
        f"HUB_JWT_PUBLIC_KEY must be RSA of at least {MIN_RSA_BITS} bits, P-256, P-384 or Ed25519"
    )


def _scope(claims: Mapping[str, Any]) -> Scope:
    said = claims.get("scope")
    words = said.split() if isinstance(said, str) else []
    ours = [word for word in words if word in set(Scope)]
    if len(ours) != 1:
        raise NotAuthenticated(
            f"the JSON Web Token must name one of {', '.join(Scope)} in its scope, not {len(ours)}"
        )
    return Scope(ours[0])


def _robot(claims: Mapping[str, Any], scope: Scope) -> str:
    robot = claims.get("robot")
    if scope is not Scope.ROBOT:
        return ANY_ROBOT
    try:
        return checked_robot_id(robot if isinstance(robot, str) else "")
    except BadIdentity as error:
        raise NotAuthenticated(f"the JSON Web Token's robot: {error}") from None


def _name(claims: Mapping[str, Any], token: str) -> str:
    """Whose requests are counted together: the subject's, else this token's."""
    subject = claims.get("sub")
    if isinstance(subject, str) and subject:
        return f"jwt:{subject[:200]}"
    return f"jwt:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
