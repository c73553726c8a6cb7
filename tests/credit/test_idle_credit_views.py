import io
import json
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from credit.models import IdleCredit
from credit.selectors.inactivity import list_inactive
from members.models import Member
from tests.credit.idle import make_inactive, pass_days, watch
from tests.credit.moves import allocate, buy
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
ADMIN_PAGE = "/architectes/members/@camille.rousseau/credit/"


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


@pytest.fixture
def boss(organization):
    return MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)


def text_of(client, address):
    return " ".join(client.get(address).text.split())


def today(organization):
    now = timezone.localtime(timezone=ZoneInfo(organization.time_zone))
    return f"{now.day} {now:%B}"


def test_inactive_credit_stands_on_ones_own_page_with_one_button_that_reactivates_it(organization, member, client):
    make_inactive(organization)
    client.force_login(member.user)

    page = text_of(client, "/me/")
    assert f"<strong>Inactive since {today(organization)}</strong>" in page
    assert "€20.00" in page
    assert 'action="/me/credit/architectes/reactivate/"' in page
    answer = client.post("/me/credit/architectes/reactivate/", follow=True)

    assert answer.redirect_chain == [("/me/", 302)]
    assert "Your credit at Architectes is active." in answer.text
    assert "Inactive since" not in answer.text
    assert list_inactive(organization, [member]) == {}


def test_a_warning_stands_there_with_its_day_and_a_button_that_keeps_the_credit_active(organization, member, client):
    pass_days(365)
    watch(organization)
    client.force_login(member.user)

    page = text_of(client, "/me/")
    assert "Becomes inactive on" in page
    assert "Keep active</button>" in page
    client.post("/me/credit/architectes/reactivate/")

    assert "Becomes inactive" not in text_of(client, "/me/")


def test_credit_that_is_used_or_may_lie_for_ever_has_no_button(organization, member, client, settings):
    client.force_login(member.user)
    assert "reactivate" not in text_of(client, "/me/")
    make_inactive(organization)
    settings.CREDIT_INACTIVE_DAYS = 0

    assert "reactivate" not in text_of(client, "/me/")


def test_whoever_manages_credit_sees_it_on_the_members_tab_and_reactivates_it(organization, member, boss, client):
    make_inactive(organization)
    client.force_login(boss.user)

    page = text_of(client, ADMIN_PAGE)
    assert f"<strong>Inactive since {today(organization)}</strong>" in page
    assert f'action="{ADMIN_PAGE}reactivate/"' in page
    answer = client.post(f"{ADMIN_PAGE}reactivate/", follow=True)

    assert answer.redirect_chain == [(ADMIN_PAGE, 302)]
    assert f"Credit of {member.user.display_name} is active." in answer.text
    assert "Inactive since" not in answer.text


def test_nobody_reactivates_the_credit_of_another_without_the_role(organization, member, client):
    make_inactive(organization)
    colleague = MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER)
    stranger = MemberFactory(role=Member.Role.CREDIT_MANAGER)

    for person, statuses in ((colleague, (403, 302)), (stranger, (404, 404))):
        client.force_login(person.user)
        asked = [client.post(f"{ADMIN_PAGE}reactivate/"), client.post("/me/credit/architectes/reactivate/")]
        assert tuple(answer.status_code for answer in asked) == statuses
    assert set(list_inactive(organization, [member])) == {member.pk}


def test_the_list_of_members_finds_them_and_the_wallet_counts_them(organization, member, boss, client, settings):
    allocate(MemberFactory(organization=organization, state=Member.State.BLOCKED), "5")
    make_inactive(organization)
    client.force_login(boss.user)

    page = text_of(client, "/architectes/members/?idle=inactive")
    assert "1 of 1 member, by name" in page
    assert "@camille.rousseau" in page
    assert "in 2 accounts, 1 inactive" in text_of(client, "/architectes/credit/")
    allocate(member, "1")
    assert "@camille.rousseau" not in text_of(client, "/architectes/members/?idle=inactive")
    settings.CREDIT_INACTIVE_DAYS = 0
    assert "Inactive credit" not in text_of(client, "/architectes/members/")


def test_show_balance_tells_since_when(organization, member, settings):
    def show(*arguments):
        out = io.StringIO()
        call_command("show_balance", "--organization", "architectes", *arguments, stdout=out)
        return out.getvalue()

    make_inactive(organization)
    idle = IdleCredit.objects.get()

    told = json.loads(show("--member", "camille.rousseau", "--json"))
    assert (told["balance"], told["inactive_since"][:10]) == ("20.0000", f"{idle.inactive_at:%Y-%m-%d}")
    assert show("--member", "camille.rousseau") == f"20.0000 EUR, inactive since {idle.inactive_at:%Y-%m-%d}\n"
    assert json.loads(show("--json"))["inactive_since"] is None
    settings.CREDIT_INACTIVE_DAYS = 0
    assert json.loads(show("--member", "camille.rousseau", "--json"))["inactive_since"] is None
