"""Which alerts come by letter, and to whom."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from credit.alerts import NOTICES, notice_of
from credit.ledger import accounts_of
from credit.models import RechargePlan
from credit.services.alert_letters import send_digest, watch_wallets
from credit.services.alerts import change_alerts
from members.access import Actor
from members.jobs import Run
from members.letter_texts import compose
from members.models import AuditEntry, Letter, NoticeChoice
from members.notices import notices_for, wanted_by
from members.periods import Every, period_at
from members.services.notices import choose_notices, set_notices_at_first
from skypemgr.clock import database_now
from tests.credit.moves import allocate, buy
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

URL = "/acme/settings/notices/"
ALL = [notice_of(kind) for kind in [*NOTICES, "licenses"]]
WALLET, SUSPENDED = "credit.wallet", "credit.suspended"


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def admin(organization):
    return MemberFactory(organization=organization, admin=True)


@pytest.fixture
def manager(organization):
    return MemberFactory(organization=organization, role="credit_manager")


def without(member, *keys):
    wanted = [key for key in ALL if key not in keys]
    return choose_notices(actor=Actor.of_member(member), organization=member.organization, wanted=wanted)


def empty_wallet(organization):
    """The wallet holds less than is wanted in it."""
    change_alerts(actor=Actor.system(), organization=organization, low_wallet=Decimal(50))
    buy(organization, "60")
    allocate(MemberFactory(organization=organization), "20")


def suspend(organization):
    member = MemberFactory(organization=organization)
    accounts_of(organization, [member])
    RechargePlan.objects.create(
        organization=organization,
        member=member,
        amount=20,
        below=5,
        monthly_limit=20,
        refusal="limit",
        refused_at=database_now(),
    )


def digest(organization, days=0):

    period = period_at(database_now() + timedelta(days=days), Every.DAY, ZoneInfo(organization.time_zone))
    send_digest(Run(period, organization))


def told():
    return {letter.member: letter.facts["kinds"] for letter in Letter.objects.filter(kind="credit_alert")}


def test_everybody_who_manages_credit_is_told_of_everything_at_first(organization, admin, manager):
    empty_wallet(organization)
    suspend(organization)
    digest(organization)

    assert told() == {admin: ["wallet", "suspended"], manager: ["wallet", "suspended"]}


def test_who_does_not_want_a_kind_gets_the_others_only(organization, admin, manager):
    without(manager, WALLET)
    empty_wallet(organization)
    suspend(organization)
    digest(organization)

    assert told() == {admin: ["wallet", "suspended"], manager: ["suspended"]}


def test_who_wants_nothing_of_what_is_new_gets_no_letter(organization, admin, manager):
    suspend(organization)
    without(manager, WALLET)
    without(admin, *ALL)
    digest(organization)
    Letter.objects.all().delete()
    empty_wallet(organization)
    digest(organization, days=1)

    assert told() == {}


def test_the_letter_that_leaves_at_once_is_not_wanted_either(organization, admin, manager):
    without(manager, WALLET)
    empty_wallet(organization)
    watch_wallets()

    assert told() == {admin: ["wallet"]}


def test_those_who_have_not_chosen_get_what_the_organization_says(organization, admin, manager):
    without(manager, SUSPENDED)
    set_notices_at_first(actor=Actor.of_member(admin), organization=organization, wanted=[SUSPENDED])
    empty_wallet(organization)
    suspend(organization)
    digest(organization)

    assert told() == {admin: ["suspended"]}
    assert wanted_by(organization, [manager])[manager.pk] == set()


def test_the_choice_of_one_organization_is_none_of_another(organization, admin):
    other = MemberFactory(admin=True)
    set_notices_at_first(actor=Actor.of_member(admin), organization=organization, wanted=[])
    without(admin, *ALL)

    assert wanted_by(other.organization, [other])[other.pk] >= set(ALL)


def test_somebody_chooses_on_the_page_and_the_log_says_it(client, organization, manager):
    client.force_login(manager.user)
    page = client.get(URL).text
    assert page.count(" checked") == len(ALL)
    assert "Everybody who has not chosen" not in page

    answer = client.post(URL, {"notice": [WALLET, "security.password"]}, follow=True)

    assert "Your notices are saved." in answer.text
    assert answer.text.count(" checked") == 1
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.subject_member) == ("notices.chosen", manager)
    assert set(entry.after) == {"off"}
    client.post(URL, {"notice": [WALLET]})
    assert AuditEntry.objects.count() == 1
    client.post(URL, {"notice": ALL})
    assert not NoticeChoice.objects.exists()


def test_administrators_say_what_everybody_else_gets(client, organization, admin, manager):
    client.force_login(admin.user)
    assert "Everybody who has not chosen" in client.get(URL).text
    client.post(f"{URL}at-first/", {"notice": [WALLET]})

    assert wanted_by(organization, [admin, manager]) == {admin.pk: {WALLET}, manager.pk: {WALLET}}
    page = client.get("/acme/audit/").text
    assert "Members have reached their monthly limit" in page
    client.force_login(manager.user)
    assert client.post(f"{URL}at-first/", {"notice": []}).status_code == 403


def test_a_role_is_offered_what_it_may_know(client, organization):
    viewer = MemberFactory(organization=organization, role="reports_viewer")
    assert notices_for("reports_viewer") == []
    assert {notice.key for notice in notices_for("administrator")} >= set(ALL)
    client.force_login(viewer.user)
    assert "Your role is told of nothing by letter." in client.get(URL).text

    client.post(URL, {"notice": []})

    assert not NoticeChoice.objects.exists()


def test_the_letter_leads_to_the_choice(organization, manager):
    empty_wallet(organization)
    watch_wallets()

    composed = compose(Letter.objects.get(kind="credit_alert", member=manager))
    assert composed.context["choose_url"].endswith(URL)


def test_the_database_keeps_one_choice_of_the_right_shape(organization, admin):
    facts = {"organization": organization, "wanted": False}
    for wrong in (
        {"member": admin, "notice": "Credit Wallet"},
        {"member": MemberFactory(), "notice": WALLET},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            NoticeChoice.objects.create(**facts, **wrong)
            with transaction.get_connection().cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for member in (admin, None):
        NoticeChoice.objects.create(**facts, member=member, notice=WALLET)
        with pytest.raises(IntegrityError), transaction.atomic():
            NoticeChoice.objects.create(**facts, member=member, notice=WALLET)
