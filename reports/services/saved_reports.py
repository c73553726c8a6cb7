"""Reports that are saved under a name, and sent to people by e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from members.notices import who_may_be_told
from members.operations import claim, settle
from reports.errors import NobodyToSendTo, TooManySaved
from reports.models import ReportReader, SavedReport
from reports.saved import may_change

MOST_SAVED = 100
MOST_READERS = 50


@dataclass(frozen=True)
class ReportWish:
    """How a report is to be saved: its name, when it is sent, as what file, and to whom (keys of members)."""

    name: str
    sent: str
    format: str
    readers: Sequence[int] = ()


@transaction.atomic(durable=True)
def save_report(
    *, actor: Actor, organization: Organization, report: str, query: str, wish: ReportWish, key: UUID
) -> SavedReport:
    """Save a report. The same ``key`` again saves no other. Raises TooManySaved, NobodyToSendTo, KeyReused."""
    require(actor, organization, Capability.VIEW_REPORTS)
    if actor.member is None:
        raise PermissionDenied
    lock_organization(organization)
    facts = {"report": report, "query": query, "wish": [wish.name, wish.sent, wish.format, sorted(wish.readers)]}
    if before := claim(organization=organization, name="save_report", key=key, facts=facts):
        return SavedReport.objects.get(organization=organization, pk=before.result["saved"])
    if SavedReport.objects.filter(organization=organization).count() >= MOST_SAVED:
        raise TooManySaved(most=MOST_SAVED)
    saved = SavedReport.objects.create(
        organization=organization,
        name=wish.name,
        report=report,
        query=query,
        sent=wish.sent,
        format=wish.format,
        saved_by=actor.member,
    )
    _send_to(saved, wish)
    record(organization=organization, actor=actor, action=Action.REPORT_SAVED, subject=saved, after=_told(saved))
    settle(organization=organization, name="save_report", key=key, result={"saved": saved.pk})
    return saved


@transaction.atomic(durable=True)
def change_report(*, actor: Actor, organization: Organization, saved: SavedReport, wish: ReportWish) -> bool:
    """Save it under another name, or send it otherwise; False when it was so. Its own, or an administrator's.

    Raises NobodyToSendTo.
    """
    require(actor, organization, Capability.VIEW_REPORTS)
    lock_organization(organization)
    saved = _own(actor, organization, saved)
    before, readers = _told(saved), _readers_of(saved)
    saved.name, saved.sent, saved.format = wish.name, wish.sent, wish.format
    saved.save(update_fields=["name", "sent", "format"])
    _send_to(saved, wish)
    after = _told(saved)
    changed = {name for name in after if after[name] != before[name]}
    if _readers_of(saved) != readers:
        # One for another leaves their number as it was.
        changed.add("readers")
    if changed:
        record(
            organization=organization,
            actor=actor,
            action=Action.REPORT_CHANGED,
            subject=saved,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return bool(changed)


@transaction.atomic(durable=True)
def delete_report(*, actor: Actor, organization: Organization, saved: SavedReport) -> None:
    """Delete a saved report; nobody gets it any more. Its own, or an administrator's."""
    require(actor, organization, Capability.VIEW_REPORTS)
    lock_organization(organization)
    saved = _own(actor, organization, saved)
    record(
        organization=organization,
        actor=actor,
        action=Action.REPORT_DELETED,
        subject=saved,
        before={"name": saved.name},
    )
    saved.delete()


@transaction.atomic(durable=True)
def stop_report(*, actor: Actor, organization: Organization, saved: SavedReport) -> bool:
    """Send a report to the actor no more; False when they did not get it."""
    require(actor, organization, Capability.VIEW_REPORTS)
    if actor.member is None:
        raise PermissionDenied
    lock_organization(organization)
    readers = ReportReader.objects.filter(organization=organization, saved=saved.pk, member=actor.member)
    if not readers.delete()[0]:
        return False
    record(
        organization=organization,
        actor=actor,
        action=Action.REPORT_STOPPED,
        subject=saved,
        after={"name": saved.name},
    )
    return True


def _own(actor: Actor, organization: Organization, saved: SavedReport) -> SavedReport:
    found = SavedReport.objects.filter(organization=organization, pk=saved.pk).first()
    if found is None or not may_change(actor, found):
        raise PermissionDenied
    return found


def _send_to(saved: SavedReport, wish: ReportWish) -> None:
    wanted = set(wish.readers) & _possible(saved.organization) if wish.sent != SavedReport.Sent.NEVER else set()
    if wish.sent != SavedReport.Sent.NEVER and not 0 < len(wanted) <= MOST_READERS:
        raise NobodyToSendTo
    # Whoever comes here holds the organization.
    present = _readers_of(saved)
    ReportReader.objects.filter(saved=saved, member__in=present - wanted).delete()
    ReportReader.objects.bulk_create(
        ReportReader(organization=saved.organization, saved=saved, member_id=key) for key in sorted(wanted - present)
    )


def _possible(organization: Organization) -> set[int]:
    return set(who_may_be_told(organization, Capability.VIEW_REPORTS).values_list("pk", flat=True))


def _readers_of(saved: SavedReport) -> set[int]:
    return set(saved.readers.values_list("member", flat=True))


def _told(saved: SavedReport) -> dict[str, object]:
    """What the log says; people are counted there, not named."""
    return {"name": saved.name, "sent": saved.sent, "format": saved.format, "readers": len(_readers_of(saved))}
