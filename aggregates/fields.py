"""What the fields of commands may hold: ids, counts, instants and short texts, as annotated types.

A rule stands beside the type of a field, as in ``points: Annotated[int, Count("points", least=1)]``. The shell checks every
command by these annotations before it reads anything (``streams/commands/validation.py``), so that a decider only judges what
depends on state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeAlias

from aggregates.decider import LARGEST_COUNT, Refusal, is_id, is_instant, require_id, require_instant


class Rule(Protocol):
    """What a value of the right type must also be."""

    def accepts(self, value: Any) -> bool: ...

    def refuse(self, value: Any) -> None:
        """Raise the ``Refusal`` of a value that is not accepted."""


@dataclass(frozen=True)
class Id:
    """1 to 200 characters, none of them a control character; refused as ``<what>_id_invalid``."""

    what: str

    def accepts(self, value: Any) -> bool:
        return is_id(value)

    def refuse(self, value: Any) -> None:
        require_id(self.what, value)


@dataclass(frozen=True)
class Count:
    """A number from ``least`` to 10^12, or with ``signed`` its negative too; refused as ``<what>_invalid``."""

    what: str
    least: int = 0
    signed: bool = False

    def accepts(self, value: Any) -> bool:
        number: int = abs(value) if self.signed else value
        return self.least <= number <= LARGEST_COUNT

    def refuse(self, value: Any) -> None:
        sign = ", or below nothing," if self.signed else ""
        sentence = f"The {self.what} must be a whole number from {self.least} to {LARGEST_COUNT}{sign}: got {value}."
        raise Refusal(f"{self.what}_invalid", sentence)


@dataclass(frozen=True)
class IsInstant:
    """UTC epoch milliseconds from 1970 until the year 9000; refused as ``<what>_invalid``."""

    what: str

    def accepts(self, value: Any) -> bool:
        return is_instant(value)

    def refuse(self, value: Any) -> None:
        require_instant(self.what, value)


@dataclass(frozen=True)
class Reason:
    """Text with something in it, of at most 500 characters; refused as ``<what>_missing``."""

    what: str

    def accepts(self, value: Any) -> bool:
        return 0 < len(value.strip()) <= len(value) <= 500

    def refuse(self, value: Any) -> None:
        got = f"got {len(value)}" if value.strip() else "it is empty"
        raise Refusal(f"{self.what}_missing", f"Give the {self.what} in 1 to 500 characters: {got}.")


@dataclass(frozen=True)
class OneLine:
    """Printable text with something in it, of at most 200 characters; refused as ``<what>_invalid``."""

    what: str

    def accepts(self, value: Any) -> bool:
        return 0 < len(value.strip()) <= len(value) <= 200 and bool(value.isprintable())

    def refuse(self, value: Any) -> None:
        raise Refusal(f"{self.what}_invalid", f"Give the {self.what} in 1 to 200 characters of one line: got {len(value)}.")


@dataclass(frozen=True)
class AtMost:
    """A list of at most ``most`` values; refused as ``<what>_invalid``."""

    what: str
    most: int

    def accepts(self, value: Any) -> bool:
        return len(value) <= self.most

    def refuse(self, value: Any) -> None:
        raise Refusal(f"{self.what}_invalid", f"Give at most {self.most} {self.what}, not {len(value)}.")


Instant: TypeAlias = Annotated[int, IsInstant("at")]
MemberId: TypeAlias = Annotated[str, Id("member")]
SessionId: TypeAlias = Annotated[str, Id("session")]
CartId: TypeAlias = Annotated[str, Id("cart")]
OrderId: TypeAlias = Annotated[str, Id("order")]
ProductId: TypeAlias = Annotated[str, Id("product")]
WalletName: TypeAlias = Annotated[str, Id("wallet")]
ActorId: TypeAlias = Annotated[str, Id("actor")]
