"""What people set of their features: forwarding, the number that is shown, a SIP profile."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.models import AuditEntry
from telephony.models import FeatureSetting
from telephony.services.numbers import release_numbers
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, PhoneNumberFactory, SeatFactory
from tests.telephony.licensed import unassigning

pytestmark = pytest.mark.django_db
HERE = "+33199004510"


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def member(organization):
    return SeatFactory(license=LicenseFactory(organization=organization), member__user__skype_name="ann.berg").member


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, role="voice_manager")
    client.force_login(boss.user)
    return boss


def save(client, kind="forwarding", **fields):
    return client.post(reverse("telephony:member_setting", args=["acme", "ann.berg"]), {"kind": kind, **fields})


def save_own(client, kind="forwarding", **fields):
    return client.post(reverse("my_features:setting", args=["acme", kind]), fields)


def numbers():
    return dict(FeatureSetting.objects.values_list("kind", "number"))


def test_calls_of_a_member_are_forwarded_and_the_log_keeps_no_number(client, boss, member):
    assert save(client, number="+33 1 99 00 45 10").status_code == 302

    assert numbers() == {"forwarding": HERE}
    assert HERE in client.get("/acme/members/@ann.berg/features/").text
    entry = AuditEntry.objects.get(action="feature.set")
    assert (entry.before, entry.after) == ({}, {"product": "call-forwarding"})
    save(client, number=HERE)
    assert AuditEntry.objects.filter(action="feature.set").count() == 1, "the same is no change"


def test_left_empty_it_is_set_back(client, boss, member):
    save(client, number=HERE)
    save(client, number="")

    assert numbers() == {}


@pytest.mark.parametrize("wrong", ["0199004510", "+33 12", "camille", "+1 555 CALL"])
def test_what_is_no_number_is_told_at_its_field(client, boss, member, wrong):
    answer = save(client, number=wrong)

    assert answer.status_code == 422
    assert 'id="forwarding_number_error"' in answer.text or "aria-invalid" in answer.text
    assert numbers() == {}


def test_a_profile_has_a_name_and_a_user(client, boss, member):
    SeatFactory(license=LicenseFactory(organization=member.organization, code="skype-connect"), member=member)

    assert save(client, "connect", name="Office").status_code == 422
    assert save(client, "connect", name="Office", username="a b").status_code == 422
    assert save(client, "connect", name="Office", username="99051000123").status_code == 302
    assert FeatureSetting.objects.get().username == "99051000123"


def test_who_does_not_have_the_feature_sets_nothing(client, boss, member):
    answer = save(client, "connect", name="Office", username="x")

    assert answer.status_code == 422
    assert save(client, "nonsense", number=HERE).status_code == 404
    assert numbers() == {}


def test_what_was_set_ends_with_the_seat(client, boss, member):
    save(client, number=HERE)
    unassigning("phone-system", member)

    assert HERE not in client.get("/acme/members/@ann.berg/features/").text


def test_what_was_set_before_a_hand_over_is_not_the_next_persons(client, boss, member):
    save(client, number=HERE)
    member.user.handed_over_at = timezone.now()
    member.user.save(update_fields=["handed_over_at"])

    assert HERE not in client.get("/acme/members/@ann.berg/features/").text
    save(client, number="+33199004511")
    assert numbers() == {"forwarding": "+33199004511"}


def test_everybody_sets_their_own(client, member):
    client.force_login(member.user)
    PhoneNumberFactory(organization=member.organization, number=HERE)
    assert "Change settings" in client.get(reverse("me:home")).text

    assert save_own(client, number=HERE).status_code == 302
    assert save_own(client, "caller_id", number=HERE).status_code == 302

    assert numbers() == {"forwarding": HERE, "caller_id": HERE}
    assert HERE in client.get(reverse("my_features:settings", args=["acme"])).text


@pytest.mark.parametrize("whose", ["nobody's", "in the stock", "of others"])
def test_only_a_number_of_the_organization_is_shown_to_who_is_called(client, boss, member, whose):
    if whose != "nobody's":
        owner = {"organization": OrganizationFactory()} if whose == "of others" else {}
        PhoneNumberFactory(number=HERE, **owner)

    answer = save(client, "caller_id", number=HERE)

    assert answer.status_code == 422
    assert "+33 1 99 00 45 10 is not a number of" in answer.text
    assert 'id="caller_id_number_error"' in answer.text
    assert numbers() == {}


def test_a_number_that_was_given_back_is_shown_no_more(client, boss, member):
    own = PhoneNumberFactory(organization=member.organization, number=HERE)
    assert save(client, "caller_id", number=HERE).status_code == 302
    assert numbers() == {"caller_id": HERE}

    release_numbers(actor=Actor.of_member(boss), organization=member.organization, numbers=[own])

    assert numbers() == {}


def test_nobody_sets_that_of_others(client, member):
    client.force_login(MemberFactory().user)

    assert save_own(client, number=HERE).status_code == 404
    client.force_login(MemberFactory(organization=member.organization).user)
    assert save_own(client, number=HERE).status_code == 422
    assert numbers() == {}


def test_the_database_takes_no_setting_of_another_kind_or_organization(member):
    seat = member.seats.get()
    facts = {"assignment": seat, "set_at": timezone.now(), "organization": member.organization, "kind": "forwarding"}
    for wrong in ({"number": "0199"}, {"number": HERE, "name": "x"}, {"number": HERE, "kind": "connect"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FeatureSetting.objects.create(**{**facts, **wrong})
    with pytest.raises(IntegrityError), transaction.atomic():
        FeatureSetting.objects.create(**{**facts, "number": HERE, "organization": OrganizationFactory()})
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
