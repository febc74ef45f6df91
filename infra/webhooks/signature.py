"""The signature of Standard Webhooks 1.0: HMAC-SHA256 over id, instant and body, with the endpoint's own secret."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_bytes

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new secret as a receiver writes it down: ``whsec_`` and 32 bytes in base64."""
    return PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message: str, at: int, body: bytes) -> str:
    """Return the header ``webhook-signature`` of a message. ``at``: epoch seconds of this attempt.

    The example is the one of the specification.

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{message}.{at}.".encode() + body
    return "v1," + b64encode(hmac.new(b64decode(secret.removeprefix(PREFIX)), signed, sha256).digest()).decode()


def headers(secrets: Sequence[str], message: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt to deliver a message. There is a signature for each secret, with spaces between."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(secret, message, at, body) for secret in secrets),
        "content-type": "application/json",
        "user-agent": "regulars-webhooks/1",
    }
