from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from credit.idling import inactive_credit
from credit.models import IdleCredit, LedgerAccount
from credit.selectors.balances import balance_of
from credit.selectors.inactivity import idleness_of, list_inactive
from credit.services import idle_credit_work
from credit.services.idle_credit import reactivate_credit, reactivate_own_credit
from members import jobs
from members.access import Actor
from members.audit import Action
from members.gateways.mail import render_letter
from members.letter_texts import compose
from members.models import AuditEntry, Letter, Member, User
from members.periods import Every
from members.services.jobs import run_due_jobs
from members.services.letters import send_letters
from skypemgr.invariants import find_violations
from tests.browser.site import running_mail_server
from tests.credit.idle import close_letters, make_inactive, pass_days, warnings, watch
from tests.credit.moves import allocate, buy, charge
from tests.credit.recharges import plan
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def half_a_year(settings):
    settings.CREDIT_INACTIVE_DAYS = 180


@pytest.fixture
def organization():
    organization = OrganizationFactory(slug="architectes", name="Architectes")
    buy(organization, "1000")
    return organization


@pytest.fixture
def member(organization):
    member = MemberFactory(organization=organization, user__skype_name="camille.rousseau")
    allocate(member, "20")
    return member


def is_inactive(member):
    return member.pk in list_inactive(member.organization, [member])


def act(member):
    return Actor.of_member(member)


def test_unless_the_installation_says_so_credit_lies_for_ever(organization, member, settings):
    settings.CREDIT_INACTIVE_DAYS = 0
    pass_days(1_000)

    watch(organization)

    assert (warnings(), IdleCredit.objects.count(), is_inactive(member)) == ([], 0, False)


def test_a_warning_is_written_seven_days_before_and_once(organization, member):
    pass_days(172.9)
    watch(organization)
    assert warnings() == []

    pass_days(0.1)
    for _day in range(3):
        watch(organization)

    [letter] = warnings()
    assert (letter.member, letter.email) == (member, member.user.email)
    assert not is_inactive(member)


def test_it_is_inactive_after_so_many_days_and_not_before(organization, member):
    pass_days(173)
    watch(organization)
    close_letters()

    pass_days(6.9)
    watch(organization)
    assert not is_inactive(member)
    pass_days(0.1)
    watch(organization)

    assert is_inactive(member)
    assert balance_of(organization, member) == 20
    assert warnings()[1:] == []


def test_whoever_was_idle_for_a_year_when_it_begins_is_warned_first(organization, member):
    pass_days(365)
    watch(organization)
    assert not is_inactive(member)
    close_letters()
    pass_days(6.9)
    watch(organization)
    assert not is_inactive(member)

    pass_days(0.1)
    watch(organization)

    assert is_inactive(member)


@pytest.mark.parametrize("state", ["waiting", "failed"])
def test_nothing_becomes_inactive_before_the_letter_has_left(organization, member, state):
    pass_days(365)
    watch(organization)
    if state == "failed":
        close_letters("failed")

    pass_days(60)
    watch(organization)

    assert not is_inactive(member)
    assert len(warnings()) == 1
    # A week after it leaves.
    Letter.objects.update(state="waiting")
    close_letters()
    watch(organization)
    assert not is_inactive(member)
    pass_days(7)
    watch(organization)
    assert is_inactive(member)


def test_the_database_refuses_credit_that_is_inactive_without_a_weeks_warning(organization, member):
    pass_days(365)
    watch(organization)
    now = timezone.now()

    for facts in ({}, {"warned_at": now - timedelta(days=6, hours=23)}):
        with pytest.raises(IntegrityError, match="idle_credit_warned_in_time"):
            refuse(inactive_at=now, **facts)
    with pytest.raises(IntegrityError, match="idle_credit_warned_by_letter"):
        refuse(letter=None, warned_at=now)
    with pytest.raises(IntegrityError, match="idle_credit_account_same_organization"):
        refuse(organization=OrganizationFactory())


def refuse(**facts):
    with transaction.atomic(), connection.cursor() as cursor:
        IdleCredit.objects.update(**facts)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


USES = {
    "credit added by hand": lambda member: allocate(member, "1"),
    "a call": lambda member: charge(member, "1"),
    "a recharge": lambda member: plan(member.organization, member, amount=50, below=50, limit=50),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_whatever_moves_inactive_credit_makes_it_active_at_once(organization, member, use):
    make_inactive(organization)
    assert is_inactive(member)

    use(member)

    assert not is_inactive(member)
    assert idleness_of(organization, member) is None
    watch(organization)
    assert IdleCredit.objects.count() == 0
    make_inactive(organization)
    assert is_inactive(member)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_whatever_moves_credit_after_the_warning_keeps_it_active(organization, member, use):
    pass_days(173)
    watch(organization)
    close_letters()
    use(member)

    pass_days(7)
    watch(organization)

    assert not is_inactive(member)
    assert compose_again(warnings()[0]) is None
    pass_days(166)
    watch(organization)
    assert len(warnings()) == 2


def compose_again(letter):
    return compose(Letter.objects.select_related("organization", "member", "user").get(pk=letter.pk))


def test_moving_credit_runs_as_many_statements_as_ever(organization, member):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            charge(member, "1")
        return [query["sql"] for query in captured]

    charge(member, "1")
    before = statements()
    make_inactive(organization)

    after = statements()
    assert len(after) == len(before)
    assert not any("idle" in sql for sql in after)


def test_a_reactivation_counts_as_use(organization, member):
    make_inactive(organization)

    assert reactivate_own_credit(actor=act(member), organization=organization)

    assert not is_inactive(member)
    pass_days(172.9)
    watch(organization)
    assert len(warnings()) == 1
    pass_days(0.2)
    watch(organization)
    assert len(warnings()) == 2
    close_letters()
    pass_days(7)
    watch(organization)
    assert is_inactive(member)


def test_whoever_was_warned_keeps_their_credit_active_by_the_same_button(organization, member):
    pass_days(173)
    watch(organization)
    assert reactivate_own_credit(actor=act(member), organization=organization)
    close_letters()

    pass_days(30)
    watch(organization)

    assert not is_inactive(member)


def test_a_reactivation_stands_in_the_log_once_and_so_does_what_became_inactive(organization, member):
    boss = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    make_inactive(organization)

    outcomes = [reactivate_credit(actor=act(boss), organization=organization, member=member) for _try in range(2)]

    assert outcomes == [True, False]
    entries = AuditEntry.objects.filter(action__startswith="credit.").order_by("pk")
    assert [(entry.action, entry.subject_member, entry.actor_member) for entry in entries] == [
        (Action.CREDIT_INACTIVE, member, None),
        (Action.CREDIT_REACTIVATED, member, boss),
    ]


def test_nobody_without_credit_is_warned(organization, member):
    charge(member, "20")
    overdrawn = MemberFactory(organization=organization)
    charge(overdrawn, "5")
    pass_days(365)

    watch(organization)

    assert (warnings(), IdleCredit.objects.count()) == ([], 0)


def test_whom_no_letter_reaches_keeps_their_credit_as_it_is(organization):
    for facts in (
        {"invited": True},
        {"state": Member.State.BLOCKED},
        {"state": Member.State.LEFT, "personal": True},
        {"user__is_active": False},
        {"user__email_verified_at": None},
    ):
        allocate(MemberFactory(organization=organization, **facts), "5")
    pass_days(365)

    watch(organization)

    assert (warnings(), IdleCredit.objects.count()) == ([], 0)


def test_a_warning_that_was_taken_back_is_written_again(organization, member):
    pass_days(365)
    watch(organization)
    close_letters("canceled")

    watch(organization)

    assert [letter.state for letter in warnings()] == ["canceled", "waiting"]


def test_a_warning_that_was_refused_is_written_again_to_another_address(organization, member):
    pass_days(365)
    watch(organization)
    close_letters("failed")
    watch(organization)
    assert len(warnings()) == 1

    User.objects.filter(pk=member.user_id).update(email="camille@people.example")
    watch(organization)

    assert [letter.email for letter in warnings()][1:] == ["camille@people.example"]


def test_one_organization_is_watched_and_no_other(organization, member):
    other = MemberFactory()
    buy(other.organization, "10")
    allocate(other, "10")
    pass_days(365)

    watch(organization)

    assert [letter.member for letter in warnings()] == [member]


def test_many_are_warned_and_become_inactive_a_few_at_a_time(organization, member, monkeypatch):
    monkeypatch.setattr(idle_credit_work, "AT_ONCE", 2)
    people = [member, *MemberFactory.create_batch(4, organization=organization)]
    for one in people[1:]:
        allocate(one, "5")

    make_inactive(organization)

    assert [letter.member for letter in warnings()] == people
    assert set(list_inactive(organization, people)) == {one.pk for one in people}


def test_more_people_take_no_more_statements(organization, member):
    def statements():
        IdleCredit.objects.all().delete()
        pass_days(365)
        with CaptureQueriesContext(connection) as captured:
            watch(organization)
        return len(captured)

    people = MemberFactory.create_batch(9, organization=organization)
    allocate(people[0], "5")
    two = statements()
    for one in people[1:]:
        allocate(one, "5")
    assert statements() == two
    assert len(warnings()) == 12


def test_more_time_makes_what_lies_for_less_active_again(organization, member, settings):
    make_inactive(organization, days=200)
    settings.CREDIT_INACTIVE_DAYS = 365

    watch(organization)

    assert not is_inactive(member)
    pass_days(365)
    watch(organization)
    assert len(warnings()) == 2


def test_a_few_more_days_count_for_whoever_was_warned_already(organization, member, settings):
    pass_days(178)
    watch(organization)
    close_letters()
    settings.CREDIT_INACTIVE_DAYS = 186
    pass_days(7.1)
    watch(organization)
    assert not is_inactive(member)

    pass_days(1)
    watch(organization)

    assert is_inactive(member)


def test_switched_off_all_credit_is_active_at_once_and_switched_on_again_it_begins_anew(organization, member, settings):
    make_inactive(organization)
    settings.CREDIT_INACTIVE_DAYS = 0
    assert not is_inactive(member)
    watch(organization)
    settings.CREDIT_INACTIVE_DAYS = 180

    watch(organization)

    assert not is_inactive(member)
    assert len(warnings()) == 2


def test_after_weeks_without_a_tick_everything_is_made_up_for_once(organization, member):
    pass_days(365)
    run_due_jobs()
    assert jobs.find_job("watch_idle_credit").every is Every.DAY
    assert len(warnings()) == 1
    close_letters()
    pass_days(40)
    watch(organization)

    assert is_inactive(member)
    assert len(warnings()) == 1


def test_inactive_credit_is_found_for_many_by_one_query(organization, member, django_assert_num_queries):
    others = MemberFactory.create_batch(3, organization=organization)
    make_inactive(organization)

    with django_assert_num_queries(1):
        found = list_inactive(organization, [member, *others])

    assert set(found) == {member.pk}
    assert list_inactive(OrganizationFactory(), [member]) == {}


def test_where_credit_lies_for_ever_nothing_is_asked_of_the_database(member, settings, django_assert_num_queries):
    settings.CREDIT_INACTIVE_DAYS = 0

    with django_assert_num_queries(0):
        assert list_inactive(member.organization, [member]) == {}


def test_a_week_is_kept_whatever_else_is_true(organization, member):
    make_inactive(organization)

    assert [found for found in find_violations() if found.invariant.startswith("credit.")] == []
    IdleCredit.objects.update(version=99)
    assert [found for found in find_violations() if found.invariant.startswith("credit.")] != []
    assert not inactive_credit(organization).exists()


# The letter


def written(letter):
    composed = compose_again(letter)
    with translation.override(composed.language), timezone.override(ZoneInfo(composed.time_zone)):
        message = render_letter(
            template=letter.kind, context=composed.context, address=letter.email, message_id=letter.message_id
        )
    return message.subject, message.body


def test_the_letter_says_how_much_from_when_on_and_what_to_do(organization, member, settings):
    settings.CREDIT_INACTIVE_DAYS = 180
    pass_days(365)
    watch(organization)
    [letter] = warnings()

    with running_mail_server() as (office, url):
        port = int(url.rpartition(":")[2])
        options = {"host": "127.0.0.1", "port": port, "timeout": 5}
        settings.MAILERS = {"default": {"BACKEND": "members.gateways.mail.MailServer", "OPTIONS": options}}
        Letter.objects.filter(pk=letter.pk).update(due_at=timezone.now())
        assert send_letters() == 1
        delivered = office.wait_for(member.user.email)

    zone = ZoneInfo("Europe/Paris")
    told = timezone.now().astimezone(zone).date() + timedelta(days=8)
    assert delivered.subject == f"Your credit becomes inactive on {told.day} {told:%B}"
    text = delivered.body("plain")
    used = LedgerAccount.objects.get(member=member).idle.used_at.astimezone(zone)
    assert f"You hold €20.00 of Skype Credit at Architectes, unused since {used.day} {used:%B %Y}." in text
    assert "Nothing is lost: credit that is inactive keeps its amount" in text
    assert delivered.link().endswith(f"/me/#credit-{member.pk}")
    assert "Keep it active" in delivered.body("html")
    # On that day it is, and not on the day before.
    letter.refresh_from_db()
    assert letter.closed_at + timedelta(days=7) < timezone.now() + timedelta(days=8)
    pass_days(8)
    watch(organization)
    assert is_inactive(member)


def test_the_letter_names_the_day_on_which_enough_days_have_passed(organization, member):
    pass_days(173)
    watch(organization)
    [letter] = warnings()
    Letter.objects.update(due_at=timezone.now())

    told = idleness_of(organization, member).becomes_inactive_on

    assert told == timezone.now().astimezone(ZoneInfo("Europe/Paris")).date() + timedelta(days=8)
    assert str(told.day) in written(letter)[0]


def test_the_letter_lies_there_in_the_morning(organization, member):
    pass_days(365)

    watch(organization)

    [letter] = warnings()
    morning = letter.due_at.astimezone(ZoneInfo("Europe/Paris"))
    assert morning.hour >= 7
    assert letter.due_at <= timezone.now() + timedelta(hours=8)


@pytest.mark.parametrize("language", ["fr", "sv"])
def test_the_letter_is_in_the_language_of_its_reader(organization, member, language):
    User.objects.filter(pk=member.user_id).update(language=language)
    pass_days(365)
    watch(organization)

    assert compose_again(warnings()[0]).language == language


def test_a_letter_that_has_become_untrue_is_not_sent(organization, member, settings):
    pass_days(365)
    watch(organization)
    [letter] = warnings()
    assert compose_again(letter) is not None

    settings.CREDIT_INACTIVE_DAYS = 0
    assert compose_again(letter) is None
    settings.CREDIT_INACTIVE_DAYS = 180
    Member.objects.filter(pk=member.pk).update(state=Member.State.BLOCKED)
    assert compose_again(letter) is None
    Member.objects.filter(pk=member.pk).update(state=Member.State.ACTIVE)
    reactivate_own_credit(actor=act(member), organization=organization)
    assert compose_again(letter) is None
    assert balance_of(organization, member) == Decimal(20)
