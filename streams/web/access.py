"""Who asks, what they may do, and how often.

An API key belongs to a client of the shop and has scopes. A token is signed with the home's own secret, lives for at most
fifteen minutes, and lets one member's browser act for that member alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import jwt

from infra.api_keys import ApiKeys
from streams.web.doors import Scope
from streams.web.problems import HttpProblem

AUDIENCE = "regulars"
ALGORITHM = "HS256"
LONGEST_TOKEN = 15 * 60
"""Seconds that a member's token may live."""

CACHED = 5.0
"""Seconds for which a key that was found is not looked up again; so long a revoked key may still work."""

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="regulars"'}


@dataclass(frozen=True)
class Caller:
    """``client``: the owner of the idempotency keys. ``member``: the member that a token is for, None for an API key."""

    client: str
    scopes: frozenset[Scope]
    member: str | None = None

    @property
    def actor(self) -> str:
        """Return who is named in events that record who did something."""
        return f"api:{self.client}"

    def may(self, scopes: Iterable[Scope]) -> bool:
        return not self.scopes.isdisjoint(scopes)


class Gate:
    """Tells callers by their Authorization header. ``clock``: seconds, of the wall."""

    def __init__(self, keys: ApiKeys, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        self._found: dict[bytes, tuple[float, Caller]] = {}
        self._secrets: dict[str, bytes] = {}

    def caller(self, authorization: bytes) -> Caller:
        """Return who asks, by the header Authorization. Raises :class:`HttpProblem` 401."""
        known = self._found.get(authorization)
        if known and known[0] > self._clock():
            return known[1]
        self._found.pop(authorization, None)
        kind, _, credential = authorization.decode("latin-1").partition(" ")
        credential = credential.strip()
        if kind.lower() != "bearer" or not credential:
            raise HttpProblem(401, "not_authenticated", "Send a key or a token as `Authorization: Bearer`.", headers=CHALLENGE)
        caller = self._by_token(credential) if credential.count(".") == 2 else self._by_key(credential)
        if len(self._found) > 10_000:
            self._found.clear()
        if caller.member is None:
            self._found[authorization] = self._clock() + CACHED, caller
        return caller

    def token(self, member: str, seconds: int) -> tuple[str, int]:
        """Return a token for a member and the instant (epoch seconds) at which it ends."""
        kid, secret = self._keys.token_secret(int(self._clock() * 1000))
        ends = int(self._clock()) + seconds
        claims = {"sub": member, "aud": AUDIENCE, "exp": ends, "iat": int(self._clock())}
        return jwt.encode(claims, secret, ALGORITHM, headers={"kid": kid}), ends

    def _by_key(self, text: str) -> Caller:
        if not (found := self._keys.find(text)):
            raise HttpProblem(401, "not_authenticated", "This key is unknown or was revoked.", headers=CHALLENGE)
        return Caller(found.client, frozenset(Scope(name) for name in found.scopes))

    def _by_token(self, token: str) -> Caller:
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
            if kid not in self._secrets:
                self._secrets = self._keys.token_secrets()
            claims = jwt.decode(
                token,
                self._secrets.get(kid, b""),
                [ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise HttpProblem(401, "not_authenticated", "This token is not valid, or has expired.", headers=CHALLENGE) from None
        member = claims["sub"]
        if not isinstance(member, str) or claims["exp"] - claims["iat"] > LONGEST_TOKEN:
            raise HttpProblem(401, "not_authenticated", "This token is not valid.", headers=CHALLENGE)
        return Caller(f"member:{member}", frozenset({Scope.MEMBER}), member)


@dataclass(frozen=True)
class Quota:
    """What is left of a client's requests: ``left`` now, and seconds until the bucket is full again."""

    limit: int
    window: int
    left: int
    full_in: int

    def headers(self) -> dict[str, str]:
        """Return the fields of the IETF draft on rate limits."""
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={self.window}',
            "RateLimit": f'"default";r={self.left};t={self.full_in}',
        }


class RateLimit:
    """A token bucket per client, in this process's memory: ``limit`` requests in ``window`` seconds, all at once at most."""

    def __init__(self, limit: int, window: int = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.window = window
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str) -> None:
        """Count one request. Raises :class:`HttpProblem` 429 with ``Retry-After`` if none is left."""
        now, rate = self._clock(), self.limit / self.window
        left, at = self._buckets.get(client, (float(self.limit), now))
        left = min(float(self.limit), left + (now - at) * rate)
        if left < 1:
            wait = int((1 - left) / rate) + 1
            quota = Quota(self.limit, self.window, 0, int((self.limit - left) / rate))
            sentence = f"{self.limit:,} requests in {self.window} seconds are allowed; ask again in {wait}."
            raise HttpProblem(429, "rate_limited", sentence, headers={"Retry-After": str(wait), **quota.headers()})
        self._buckets[client] = left - 1, now
        if len(self._buckets) > 100_000:
            self._forget_full(now, rate)

    def _forget_full(self, now: float, rate: float) -> None:
        self._buckets = {
            client: (left, at) for client, (left, at) in self._buckets.items() if left + (now - at) * rate < self.limit
        }
