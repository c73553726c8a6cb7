import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from credit.models import Transfer
from members.models import Member
from tests.credit.moves import allocate, buy, charge, recorded
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    organization = OrganizationFactory(slug="acme")
    return MemberFactory(organization=organization, user__skype_name="ann.berg", user__email="ann@example.com")


def show(*arguments):
    out = io.StringIO()
    call_command("show_balance", "--organization", "acme", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_wallet_and_a_member_are_shown_as_they_are_now(member):
    buy(member.organization, "100")
    allocate(member, "30")
    charge(member, "0.125")

    wallet, of_member = show(), show("--member", "ann@example.com")
    assert (wallet["balance"], wallet["currency"], wallet["member"]) == ("70.0000", "EUR", None)
    assert (of_member["balance"], of_member["currency"], of_member["member"]) == ("29.8750", "EUR", "ann.berg")


def test_a_past_moment_counts_what_was_recorded_until_then(member):
    buy(member.organization, "100")
    allocate(member, "1", times=3)
    noon = datetime(2026, 11, 5, 12, tzinfo=UTC)
    recorded([noon, noon, noon, noon + timedelta(seconds=1)], organization=member.organization)

    assert show("--member", "ann.berg", "--at", "2026-11-05T11:59:59.999999Z")["balance"] == "0.0000"
    assert show("--member", "ann.berg", "--at", "2026-11-05T12:00:00Z")["balance"] == "2.0000"
    assert show("--at", "2026-11-05T13:00:00+01:00") == {
        "balance": "98.0000",
        "currency": "EUR",
        "member": None,
        "at": "2026-11-05T12:00:00Z",
        "inactive_since": None,
    }
    assert show("--at", "2026-11-05T12:00:01Z")["balance"] == "97.0000"


def test_what_happened_earlier_counts_from_when_it_was_recorded(member):
    buy(member.organization, "100")
    allocate(member, "5")
    recorded([datetime(2026, 11, 5, 12, tzinfo=UTC)] * 2, organization=member.organization)
    charge(member, "1", happened_at=datetime(2026, 11, 6, tzinfo=UTC))

    assert Transfer.objects.get(operation="charge").happened_at < Transfer.objects.get(operation="charge").recorded_at
    assert show("--member", "ann.berg", "--at", "2026-11-07T00:00:00Z")["balance"] == "5.0000"
    assert show("--member", "ann.berg")["balance"] == "4.0000"


def test_an_account_that_nobody_opened_holds_nothing(member):
    assert show()["balance"] == "0.0000"
    assert show("--member", "ann.berg", "--at", "2026-11-07T00:00:00Z")["balance"] == "0.0000"


@pytest.mark.parametrize("moment", ["2026-11-05T12:00:00", "2026-11-05", "yesterday", ""])
def test_a_moment_without_a_zone_is_no_moment(member, moment):
    with pytest.raises(CommandError):
        show("--at", moment)


def test_a_moment_to_come_and_strangers_are_refused(member):
    MemberFactory(user__skype_name="stranger")

    with pytest.raises(CommandError, match="has not come yet"):
        show("--at", "2999-01-01T00:00:00Z")
    with pytest.raises(CommandError, match="There is no member"):
        show("--member", "stranger")
    with pytest.raises(CommandError, match="may not"):
        show("--actor", "ann.berg")
    Member.objects.filter(pk=member.pk).update(role=Member.Role.CREDIT_MANAGER)
    assert show("--actor", "ann.berg")["balance"] == "0.0000"
