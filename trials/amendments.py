"""The page of a trial's versions: which site may use which, since when, and by which document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trials.models import ProtocolVersion, SiteApproval, Trial, TrialSite
from trials.selectors import approvals_of, versions_of


@dataclass(frozen=True)
class AtSite:
    """A version at a site.

    Attributes
    ----------
    opened
        For a first version: the day on which the site opened, which stands for an approval.
    approval
        The approval that counts, or will count; None where there is none.
    withdrawn
        Approvals that were taken back, newest first.
    ahead
        Whether the approval counts from a later day on.
    """

    part: TrialSite
    opened: date | None
    approval: SiteApproval | None
    withdrawn: tuple[SiteApproval, ...]
    ahead: bool


@dataclass(frozen=True)
class VersionRow:
    """A version and where it stands at each site."""

    version: ProtocolVersion
    sites: tuple[AtSite, ...]

    @property
    def approved(self) -> int:
        """Number of sites that have it."""
        return sum(each.approval is not None or each.opened is not None for each in self.sites)


def version_rows(trial: Trial, today: date) -> tuple[VersionRow, ...]:
    """Every version of a trial, the newest first, at every site: three statements."""
    parts = list(TrialSite.objects.filter(trial=trial).select_related("site").order_by("site__code"))
    approvals = list(approvals_of(trial))
    return tuple(
        VersionRow(version, tuple(_at_site(version, part, approvals, today) for part in parts))
        for version in versions_of(trial)
    )


def _at_site(
    version: ProtocolVersion, part: TrialSite, approvals: Sequence[SiteApproval], today: date
) -> AtSite:
    mine = [each for each in approvals if each.version_id == version.pk and each.site_id == part.site_id]
    approval = next((each for each in mine if each.withdrawn_on is None), None)
    return AtSite(
        part=part,
        opened=part.opened_on if version.is_first else None,
        approval=approval,
        withdrawn=tuple(each for each in reversed(mine) if each.withdrawn_on is not None),
        ahead=approval is not None and approval.approved_on > today,
    )
