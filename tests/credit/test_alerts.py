import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from credit.alerts import find_alerts
from credit.models import AlertSettings, AlertTold, Order, RechargePlan, SavedCard, WalletCharge, WalletRecharge
from credit.selectors.spans import first_day
from credit.services.alert_letters import send_digest, watch_wallets
from credit.services.alerts import change_alerts
from members.access import Actor
from members.audit import Action
from members.gateways.mail import render_letter
from members.jobs import Run
from members.letter_texts import compose
from members.models import AuditEntry, Letter, Member
from members.months import present_month
from members.periods import Every, period_at
from tests.credit.moves import allocate, buy, charge, recorded
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def manager():
    return MemberFactory(
        organization=OrganizationFactory(slug="architectes", name="Architectes"),
        role=Member.Role.CREDIT_MANAGER,
        user__skype_name="helene.marchand",
    )


@pytest.fixture
def organization(manager):
    return manager.organization


@pytest.fixture
def member(organization):
    return MemberFactory(
        organization=organization,
        user__skype_name="camille.rousseau",
        user__first_name="Camille",
        user__last_name="Rousseau",
    )


def want(organization, amount):
    change_alerts(actor=Actor.system(), organization=organization, low_wallet=amount and Decimal(amount))


def digest(organization, days=0):
    moment = timezone.now() + timedelta(days=days)
    send_digest(Run(period_at(moment, Every.DAY, PARIS), organization))


def letters():
    return Letter.objects.filter(kind=Letter.Kind.CREDIT_ALERT).order_by("pk")


def written(letter):
    composed = compose(letter)
    with translation.override(composed.language):
        message = render_letter(
            template=letter.kind, context=composed.context, address=letter.email, message_id=letter.message_id
        )
    return message.subject, message.body


def kinds(organization):
    return [alert.key.partition(":")[0] for alert in find_alerts(organization)]


def refuse(member, refusal, *, below="5"):
    return RechargePlan.objects.create(
        organization=member.organization,
        member=member,
        amount=Decimal(15),
        below=Decimal(below),
        monthly_limit=Decimal(60),
        refusal=refusal,
        refused_at=timezone.now(),
    )


def order(organization, **facts):
    """An order by card whose payment failed, unless ``facts`` say otherwise."""
    amounts = {"net": Decimal(100), "vat_rate": 20, "vat": Decimal(20), "gross": Decimal(120)}
    kind = {"method": "card", "treatment": "standard", "buyer": {}, "state": "failed", "closed_at": timezone.now()}
    given = {"number": "O-2026-000042", "key": uuid4(), **amounts, **kind, **facts}
    return Order.objects.create(organization=organization, **given)


def test_a_wallet_below_the_wanted_amount_is_told_at_once_and_once(organization, member, manager):
    want(organization, "50")
    buy(organization, "100")
    assert watch_wallets() == 0

    allocate(member, "60")
    assert watch_wallets() == 1
    [letter] = letters()
    assert (letter.member, letter.due_at <= timezone.now()) == (manager, True)
    subject, body = written(letter)
    assert subject == "The wallet holds €40.00, less than €50.00"
    assert "/architectes/credit/buy/" in body

    assert watch_wallets() == 0
    digest(organization)
    assert letters().count() == 1


def test_exactly_the_wanted_amount_is_enough(organization, member):
    want(organization, "50")
    buy(organization, "100")
    allocate(member, "50")

    assert watch_wallets() == 0
    allocate(member, "0.0001")
    assert watch_wallets() == 1


def test_a_wallet_that_falls_again_the_same_day_is_not_told_twice(organization, member):
    want(organization, "50")
    buy(organization, "100")
    allocate(member, "60")
    watch_wallets()
    buy(organization, "100")
    watch_wallets()
    assert AlertSettings.objects.get().low_since is None

    allocate(member, "120")
    watch_wallets()

    assert AlertSettings.objects.get().low_since is not None
    assert letters().count() == 1


def test_another_day_it_is_told_again(organization, member):
    want(organization, "50")
    buy(organization, "100")
    allocate(member, "60")
    watch_wallets()
    AlertSettings.objects.update(low_since=None)
    AlertTold.objects.filter(key__startswith="low:").delete()

    assert watch_wallets() == 1
    assert letters().count() == 2


def test_what_was_written_is_undone_with_what_was_told(organization, member, monkeypatch):
    """A worker that dies between the two leaves neither, and the next tells all of it."""
    want(organization, "50")
    buy(organization, "100")
    allocate(member, "60")

    def die(point):
        raise KeyboardInterrupt(point)

    with monkeypatch.context() as patch:
        patch.setattr("credit.services.alert_letters.kill_point", die)
        with pytest.raises(KeyboardInterrupt):
            watch_wallets()
        with pytest.raises(KeyboardInterrupt):
            digest(organization)
    assert (letters().count(), AlertTold.objects.count(), AlertSettings.objects.get().low_since) == (0, 0, None)

    watch_wallets()
    assert letters().count() == 1


def test_a_digest_is_written_once_a_day_for_each_person_who_manages_credit(organization, member, manager):
    administrator = MemberFactory(organization=organization, admin=True, user__language="sv")
    for facts in ({"role": Member.Role.VOICE_MANAGER}, {"admin": True, "state": Member.State.BLOCKED}):
        MemberFactory(organization=organization, **facts)
    MemberFactory(organization=organization, admin=True, user__email_verified_at=None)
    MemberFactory(admin=True)
    buy(organization, "100")
    charge(member, "1")
    refuse(member, "wallet")

    digest(organization)
    digest(organization)

    assert {letter.member for letter in letters()} == {manager, administrator}
    assert letters().count() == 2


def test_a_digest_lies_there_in_the_morning(organization, member):
    buy(organization, "100")
    refuse(member, "wallet")
    charge(member, "1")

    digest(organization, days=3)

    [letter] = letters()
    assert letter.due_at.astimezone(PARIS).strftime("%H:%M") == "07:00"
    assert letter.due_at > timezone.now() + timedelta(days=2)


def test_several_who_are_suspended_are_led_to_on_the_list_of_members(organization, member, manager, client):
    other = MemberFactory(organization=organization)
    for suspended in (member, other):
        buy(organization, "100")
        charge(suspended, "1")
        refuse(suspended, "limit")
    client.force_login(manager.user)

    [alert] = [alert for alert in find_alerts(organization) if alert.kind == "suspended"]

    assert "2 of 2 members, by name" in client.get(alert.url).content.decode()


def test_without_news_there_is_no_digest(organization, member):
    digest(organization)
    assert not letters().exists()
    buy(organization, "100")
    charge(member, "1")
    refuse(member, "limit")

    digest(organization)
    digest(organization, days=1)

    assert letters().count() == 1


def test_recharges_that_the_wallet_can_not_cover_are_told_once_a_day(organization, member):
    buy(organization, "1")
    charge(member, "1")
    refuse(member, "wallet")

    digest(organization)
    [letter] = letters()
    subject, body = written(letter)
    assert subject == "The wallet couldn’t recharge 1 member"
    assert "Camille Rousseau" in body


def test_several_things_make_one_letter_in_the_language_of_its_reader(organization, member, manager):
    want(organization, "5000")
    buy(organization, "100")
    charge(member, "1")
    refuse(member, "limit")
    order(organization)
    assert kinds(organization) == ["low", "payments", "suspended"]

    digest(organization)

    [letter] = letters()
    subject, body = written(letter)
    assert subject == "3 things about your credit need attention"
    for text in ("The wallet holds €100.00, less than €5,000.00", "1 payment failed", "O-2026-000042", "Camille"):
        assert text in body
    assert letter.facts == {"kinds": ["wallet", "payments", "suspended"]}


def test_a_letter_whose_reason_has_gone_is_not_sent(organization, member, manager):
    want(organization, "50")
    buy(organization, "40")
    watch_wallets()
    [letter] = letters()
    assert compose(letter) is not None

    buy(organization, "100")
    assert compose(letter) is None
    allocate(member, "100")
    assert compose(letter) is not None
    Member.objects.filter(pk=manager.pk).update(role=Member.Role.MEMBER)
    assert compose(Letter.objects.select_related("member").get(pk=letter.pk)) is None


def test_a_wallet_that_runs_dry_within_a_week_is_spoken_of(organization, member):
    buy(organization, "100")
    allocate(member, "70")
    now = timezone.now()
    recorded([now - timedelta(days=14), now - timedelta(days=1)], organization=organization)
    # 5 a day, of 30.
    assert kinds(organization) == ["dry"]

    buy(organization, "10")
    assert kinds(organization) == []


def test_an_empty_wallet_is_spoken_of_and_one_never_filled_is_not(organization, member):
    assert kinds(organization) == []
    buy(organization, "10")
    allocate(member, "10")
    assert kinds(organization) == ["empty"]


def test_what_was_told_long_ago_is_forgotten(organization):
    AlertTold.objects.create(organization=organization, key="old", told_at=timezone.now() - timedelta(days=61))
    AlertTold.objects.create(organization=organization, key="new", told_at=timezone.now() - timedelta(days=59))

    digest(organization)

    assert list(AlertTold.objects.values_list("key", flat=True)) == ["new"]


def test_the_page_saves_the_amount_and_logs_it(client, organization, manager):
    client.force_login(manager.user)

    assert client.post("/architectes/credit/alerts/", {"low_wallet": "50"}).status_code == 302
    assert AlertSettings.objects.get().low_wallet == 50
    entry = AuditEntry.objects.get(action=Action.ALERTS_CHANGED)
    assert entry.after == {"low_wallet": "50.00 EUR"}
    refused = client.post("/architectes/credit/alerts/", {"low_wallet": "fifty"})
    assert refused.status_code == 422
    assert "Type an amount in plain digits" in refused.text
    client.post("/architectes/credit/alerts/", {"low_wallet": ""})
    assert AlertSettings.objects.get().low_wallet is None


def test_alerts_stand_on_the_wallets_page_and_the_overview_with_where_to_go(client, organization, manager, member):
    client.force_login(manager.user)
    buy(organization, "10")
    allocate(member, "10")

    for address in ("/architectes/credit/", "/architectes/", "/architectes/credit/alerts/"):
        page = re.sub(r"\s+", " ", client.get(address).text)
        assert "The wallet is empty" in page, address
        assert "/architectes/credit/buy/" in page, address
    client.force_login(MemberFactory(organization=organization, role=Member.Role.VOICE_MANAGER).user)
    assert "The wallet is empty" not in client.get("/architectes/").text


def test_weeks_are_told_by_the_organizations_clock(organization, member):
    buy(organization, "10")
    allocate(member, "10")

    [alert] = find_alerts(organization)
    year, week, _day = timezone.now().astimezone(PARIS).isocalendar()
    assert alert.key == f"empty:{year}-W{week:02}"


def recharging_wallet(organization, **facts):
    terms = {"amount": Decimal(50), "below": Decimal(20), "monthly_limit": Decimal(100), "state": "active"}
    return WalletRecharge.objects.create(organization=organization, **{**terms, **facts})


def test_auto_recharge_of_the_wallet_that_is_paused_is_told_with_its_reason(organization):
    paused = {"state": "paused", "reason": "expired_card", "paused_at": timezone.now()}
    recharging_wallet(organization, **paused)

    digest(organization)

    [letter] = letters()
    subject, body = written(letter)
    assert subject == "Auto-recharge of the wallet is paused"
    assert "Why: the card has expired. Nothing is charged until you save it again." in body
    assert "/architectes/credit/card/" in body
    digest(organization, days=1)
    assert letters().count() == 1


def test_a_limit_that_keeps_a_low_wallet_from_being_recharged_is_spoken_of(organization, member):
    buy(organization, "30")
    plan = recharging_wallet(organization, monthly_limit=Decimal(50))
    assert "limit" not in kinds(organization)
    waiting = order(organization, state="waiting", closed_at=None)
    card = SavedCard.objects.create(
        organization=organization, customer="c", method="m", brand="visa", last4="4242", month=12, year=2031
    )
    month = first_day(present_month(organization))
    facts = {"order": waiting, "card": card, "key": waiting.key, "amount": plan.amount, "month": month}
    facts["monthly_limit"] = plan.monthly_limit
    WalletCharge.objects.create(organization=organization, **facts)
    assert "limit" not in kinds(organization)
    allocate(member, "15")

    assert "limit" in kinds(organization)
