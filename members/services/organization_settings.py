"""The settings of an organization. Country and currency are frozen at set-up and have no verb."""

from collections.abc import Sequence
from itertools import batched

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.departments import names_of
from members.errors import OwnSecondFactorFirst
from members.factors import has_second_factor
from members.locks import lock_organization, take_time
from members.models import Department, Member, Organization
from members.months import change_time_zone, present_month
from members.names import path_sort_key
from members.newcomers import sorting_of

AT_ONCE = 2_000


@transaction.atomic(durable=True)
def change_organization_settings(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    time_zone: str,
    language: str,
    allow_personal_accounts: bool,
    show_colleagues: bool,
) -> Organization:
    """Change what an organization may change about itself; with the language, names are sorted as it sorts.

    Months go by a new time zone from the next one on. Refusing personal accounts concerns new ones: those who are
    members stay.
    """
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    take_time()
    lock_organization(organization)
    organization = Organization.objects.get(pk=organization.pk)
    new = {
        "name": name,
        "time_zone": time_zone,
        "language": language,
        "allow_personal_accounts": allow_personal_accounts,
        "show_colleagues": show_colleagues,
    }
    before = {field: getattr(organization, field) for field in new}
    changed = [field for field, value in new.items() if before[field] != value]
    if not changed:
        return organization
    saved = list(changed)
    if "time_zone" in changed:
        change_time_zone(organization, time_zone, during=present_month(organization))
        saved += ["zone_month_start", "zone_month_end"]
    for field in changed:
        setattr(organization, field, new[field])
    organization.save(update_fields=saved)
    if "language" in changed:
        _sort_departments(organization)
        _sort_members(organization)
    record(
        organization=organization,
        actor=actor,
        action=Action.ORGANIZATION_CHANGED,
        subject=organization,
        before={field: before[field] for field in changed},
        after={field: new[field] for field in changed},
    )
    return organization


@transaction.atomic(durable=True)
def change_second_factor_rule(*, actor: Actor, organization: Organization, required: bool) -> Organization:
    """Say whether administrators of an organization need a second factor; it holds from their next request on.

    Who asks for it must have one. Raises OwnSecondFactorFirst.
    """
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    lock_organization(organization)
    organization = Organization.objects.get(pk=organization.pk)
    before = organization.require_second_factor
    if required == before:
        return organization
    if required and actor.user is not None and not has_second_factor(actor.user):
        raise OwnSecondFactorFirst
    organization.require_second_factor = required
    organization.save(update_fields=["require_second_factor"])
    record(
        organization=organization,
        actor=actor,
        action=Action.ORGANIZATION_CHANGED,
        subject=organization,
        before={"require_second_factor": before},
        after={"require_second_factor": required},
    )
    return organization


def _sort_departments(organization: Organization) -> None:
    departments = list(organization.departments.all())
    for department in departments:
        department.sort_key = path_sort_key(names_of(department.path), organization.language)
    Department.objects.bulk_update(departments, ["sort_key"], batch_size=1_000)


def _sort_members(organization: Organization) -> None:
    keys = list(Member.objects.of(organization).order_by("pk").values_list("pk", flat=True))
    for some in batched(keys, AT_ONCE, strict=False):
        _sort_some(organization, some)


def _sort_some(organization: Organization, keys: Sequence[int]) -> None:
    members = (
        Member.objects.filter(pk__in=keys)
        .select_for_update(no_key=True, of=("self",))
        .select_related("user")
        .order_by("pk")
    )
    resorted = []
    for member in members:
        sort_key = sorting_of(member.user, organization, member.email)["sort_key"]
        # Most names sort alike everywhere.
        if sort_key != member.sort_key:
            member.sort_key = sort_key
            resorted.append(member)
    Member.objects.bulk_update(resorted, ["sort_key"], batch_size=500)
