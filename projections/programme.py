"""The shop's programme as storefronts show it: the policy in force, and those to come, each with the instant it holds from.

The last version whose ``effective`` has come is in force, so no job has to run when the next one takes effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aggregates.programme.policy import PolicyPublished
from aggregates.value import Value
from projections.projection import one_document


class Version(Value):
    """``terms``: the document that was published, complete."""

    version: int
    effective: int
    terms: Mapping[str, Any]


class ProgrammeView(Value):
    """``versions``: by time. The first is in force at ``as_of``, unless it is yet to come."""

    zone: str
    currency: str
    versions: tuple[Version, ...]
    as_of: int
    position: int


def project(view: ProgrammeView | None, event: PolicyPublished, position: int) -> ProgrammeView:
    known = view.versions if view else ()
    as_of = max(view.as_of, event.at) if view else event.at
    staying = [version for version in known if version.effective < event.effective]
    versions = (*staying, Version(event.version, event.effective, event.document))
    begun = [place for place, version in enumerate(versions) if version.effective <= as_of]
    return ProgrammeView(event.zone, event.currency, versions[begun[-1] if begun else 0 :], as_of, position)


programme = one_document(
    "programme", 1, {"programme": ProgrammeView}, (PolicyPublished,), lambda event: f"programme:{event.policy}", project
)
