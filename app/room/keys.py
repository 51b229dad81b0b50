"""Codes that are read aloud, and the tokens that say who may do what. No token is stored as it was given."""

import hashlib
import hmac
import secrets

LETTERS = "BCDFGHJKMNPQRSTVWXZ"  # no look-alikes (I, L, O), no vowels: no word comes out
CODE_LENGTH = 5


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def read_code(typed: str) -> str:
    """A code as it was typed, in capital letters."""
    return typed.strip().upper()[:20]


def new_token() -> str:
    """A driver's token, or a room's secret: 144 random bits."""
    return secrets.token_urlsafe(18)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_driver(kept: str, token: str) -> bool:
    """Whether ``kept`` is the hash of ``token``."""
    return hmac.compare_digest(kept, hashed(token))


def new_voter(secret: str) -> str:
    """A voter's token: a random name and the room's signature under it. Nothing needs to be stored."""
    name = secrets.token_hex(8)
    return f"{name}.{_sign(secret, name)}"


def voter_of(secret: str, token: str) -> str | None:
    """The voter's name, if this room signed it."""
    name, _, signature = token.partition(".")
    return name if hmac.compare_digest(_sign(secret, name).encode(), signature.encode()) else None


def _sign(secret: str, name: str) -> str:
    return hmac.digest(secret.encode(), name.encode(), "sha256").hex()[:24]
