"""JSON Web Tokens of another issuer."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.edge.signed import BadKey, Verifier, verifier_of
from hub.errors import NotAuthenticated
from hub.settings import Settings
from hub.store.tokens import Grant, Scope
from tests.hub.edge.conftest import served
from tests.hub.edge.test_auth import bearer
from tests.hub.edge.test_http import WORLD

SECRET = "0123456789abcdef0123456789abcdef"


def signed(
    change: dict[str, Any] | None = None, key: Any = SECRET, algorithm: str | None = "HS256"
) -> str:
    claims = {
        "sub": "shop", "scope": "client", "exp": datetime.now(UTC) + timedelta(minutes=5),
        **(change or {}),
    }  # fmt: skip
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm)


def pem(private: Any) -> str:
    written: bytes = private.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return written.decode()


def test_a_token_of_the_issuer_is_a_grant() -> None:
    verifier = Verifier(secret=SECRET)
    assert verifier.grant(signed()) == Grant("jwt:shop", "*", Scope.CLIENT)
    robot = verifier.grant(signed({"scope": "openid robot", "robot": "r1", "sub": None}))
    assert (robot.robot, robot.scope) == ("r1", Scope.ROBOT)
    assert robot.id.startswith("jwt:")


@pytest.mark.parametrize(
    "change",
    [
        {"exp": None},
        {"exp": datetime.now(UTC) - timedelta(minutes=1)},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
        {"exp": "soon"},
        {"scope": None},
        {"scope": ["admin"]},
        {"scope": "stories:write"},
        {"scope": "client admin"},
        {"scope": "robot"},
        {"scope": "robot", "robot": "a/b"},
        {"scope": "robot", "robot": 7},
        {"aud": "somebody else"},
    ],
)
def test_a_token_that_is_expired_early_or_of_no_clear_scope_is_refused(
    change: dict[str, Any],
) -> None:
    with pytest.raises(NotAuthenticated):
        Verifier(secret=SECRET).grant(signed(change))


def test_audience_and_issuer_are_checked_where_they_are_set() -> None:
    verifier = Verifier(secret=SECRET, audience="hub", issuer="school")
    assert verifier.grant(signed({"aud": ["hub", "x"], "iss": "school"}))
    for change in ({"aud": "hub"}, {"iss": "school"}, {"aud": "x", "iss": "school"}, {}):
        with pytest.raises(NotAuthenticated):
            verifier.grant(signed(change))


def test_the_key_and_not_the_token_decides_the_algorithm() -> None:
    verifier = Verifier(secret=SECRET)
    others = [
        signed(key="another secret of at least 32 bytes"),
        signed(key=SECRET * 2, algorithm="HS512"),
        signed(key="", algorithm="none"),
        "a.b.c",
        "é.b.c",
    ]
    for token in others:
        with pytest.raises(NotAuthenticated):
            verifier.grant(token)


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [
        (generate_private_key(SECP256R1()), "ES256"),
        (Ed25519PrivateKey.generate(), "EdDSA"),
        (rsa_key(65_537, 2_048), "RS256"),
    ],
)
def test_a_public_key_verifies_and_is_no_shared_secret(private: Any, algorithm: str) -> None:
    public = pem(private)
    verifier = Verifier(public_key=public)
    assert verifier.grant(signed(key=private, algorithm=algorithm)).scope is Scope.CLIENT
    with pytest.raises(NotAuthenticated):
        verifier.grant(forged_with(public))


def forged_with(public: str) -> str:
    """The classic forgery: the public key, which anybody has, as the secret of an HMAC."""

    def part(raw: bytes) -> str:
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    header, claims = b'{"alg":"HS256","typ":"JWT"}', b'{"scope":"admin","exp":4102444800}'
    signing = f"{part(header)}.{part(claims)}"
    return f"{signing}.{part(hmac.new(public.encode(), signing.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize(
    "keys",
    [
        {"secret": "short"},
        {"secret": ""},
        {"public_key": "no pem"},
        {"public_key": pem(generate_private_key(SECP256K1()))},
        {"public_key": pem(rsa_key(65_537, 1_024))},
    ],
)
def test_a_key_that_cannot_be_meant_is_refused_at_the_start(keys: dict[str, str]) -> None:
    with pytest.raises(BadKey, match="HUB_JWT"):
        Verifier(**keys)


def test_the_public_key_may_stand_in_a_file(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    (tmp_path / "issuer.pem").write_text(pem(private))
    verifier = verifier_of(Settings(hub_jwt_public_key=str(tmp_path / "issuer.pem")))
    assert verifier.grant(signed(key=private, algorithm="EdDSA"))
    with pytest.raises(BadKey, match="cannot be read"):
        verifier_of(Settings(hub_jwt_public_key=str(tmp_path / "none.pem")))


async def test_with_a_key_the_hub_is_closed_to_all_but_signed_and_stored_tokens(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, signed=Verifier(secret=SECRET)) as edge:
        assert (await edge.http.get("/status")).status_code == 401
        for headers in (bearer(signed()), {"X-API-Key": signed({"scope": "observer"})}):
            assert (await edge.http.get("/status", headers=headers)).status_code == 200
        robot = bearer(signed({"scope": "robot", "robot": "r1"}))
        assert (await edge.http.post("/plan", json=WORLD, headers=robot)).status_code == 200
        other = {**WORLD, "robot_id": "r2"}
        assert (await edge.http.post("/plan", json=other, headers=robot)).status_code == 403
        expired = bearer(signed({"exp": datetime.now(UTC) - timedelta(minutes=1)}))
        answer = await edge.http.get("/status", headers=expired)
        assert answer.status_code == 401
        assert "expired" in answer.json()["detail"]
