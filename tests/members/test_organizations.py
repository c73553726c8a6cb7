from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from members.access import Actor
from members.errors import SetupClosed, SkypeNameTaken, SlugReserved, SlugTaken
from members.models import AuditEntry, Letter, Member, Organization, User
from members.services.organizations import Company, Founder, create_organization, set_up_organization
from skypemgr.reserved import reserved_words
from tests.factories import MemberFactory, OrganizationFactory, UserFactory

COMPANY = Company(
    name="Architectes", slug="architectes", country="FR", currency="EUR", time_zone="Europe/Paris", language="fr"
)
NEWCOMER = Founder(skype_name="architectes.admin", email="helene@architectes.example", password="hash")


@pytest.fixture(autouse=True)
def open_setup(settings, db):
    settings.SETUP = "open"


def set_up(actor=None, company=COMPANY, founder=NEWCOMER, key=None):
    return set_up_organization(actor=actor or Actor.visitor(), company=company, founder=founder, key=key or uuid4())


def test_set_up_makes_an_organization_with_its_first_administrator():
    member = set_up()

    assert member.organization.slug == "architectes"
    assert (member.role, member.state) == ("administrator", "active")
    assert (member.user.kind, member.user.skype_name) == ("personal", "architectes.admin")
    assert AuditEntry.objects.get().action == "organization.set_up"


def test_no_letter_but_the_founders_own_leaves_before_the_address_is_confirmed():
    member = set_up()

    assert member.organization.letters_released_at is None
    assert Letter.objects.get().kind == Letter.Kind.ADDRESS_VERIFICATION


def test_a_founder_whose_address_is_confirmed_releases_the_letters_at_once():
    user = UserFactory()

    member = set_up(actor=Actor.of_person(user), founder=Founder(user=user))

    assert member.user == user
    assert member.organization.letters_released_at is not None
    assert not Letter.objects.exists()


def test_the_same_form_sent_twice_sets_up_once():
    key = uuid4()

    first, again = set_up(key=key), set_up(key=key)

    assert first == again
    assert Organization.objects.count() == 1


def test_two_clicks_at_the_same_instant_set_up_once(race):
    key = uuid4()

    outcomes = race(lambda: set_up(key=key), lambda: set_up(key=key))

    assert outcomes[0] == outcomes[1]
    assert Organization.objects.count() == 1


def test_of_two_first_set_ups_at_the_same_instant_one_is_refused(race, settings):
    settings.SETUP = "first"
    other = Company(**{**vars(COMPANY), "slug": "others"})

    outcomes = race(
        lambda: set_up(),
        lambda: set_up(company=other, founder=Founder(skype_name="others.admin", email="o@o.example")),
    )

    assert sum(isinstance(outcome, SetupClosed) for outcome in outcomes) == 1
    assert Organization.objects.count() == 1


def test_set_up_is_closed_once_the_first_organization_exists(settings):
    settings.SETUP = "first"
    OrganizationFactory()

    with pytest.raises(SetupClosed):
        set_up()

    assert Organization.objects.count() == 1


def test_only_operators_set_up_where_the_installation_says_so(settings):
    settings.SETUP = "operator"

    with pytest.raises(SetupClosed):
        set_up()

    assert set_up(actor=Actor.operator(UserFactory(is_operator=True))).organization.slug == "architectes"


def test_a_taken_address_is_refused_and_a_free_one_offered():
    OrganizationFactory(slug="architectes")

    with pytest.raises(SlugTaken) as refusal:
        set_up()

    assert refusal.value.facts["free"] == "architectes-2"
    assert not User.objects.exists()


@pytest.mark.parametrize("word", ["setup", "join", "accounts", "me", "api", "static", "outbox", "styleguide", "ops"])
def test_the_addresses_of_our_own_pages_are_refused(word):
    assert word in reserved_words()

    with pytest.raises(SlugReserved):
        set_up(company=Company(**{**vars(COMPANY), "slug": word}))


def test_a_taken_skype_name_is_refused_and_a_free_one_offered():
    UserFactory(skype_name="Architectes.Admin")

    with pytest.raises(SkypeNameTaken) as refusal:
        set_up()

    assert refusal.value.facts["free"] == "architectes.admin2"
    assert not Organization.objects.exists()


def test_nobody_founds_with_the_account_of_somebody_else():
    with pytest.raises(PermissionDenied):
        set_up(actor=Actor.of_person(UserFactory()), founder=Founder(user=UserFactory()))


def test_a_business_account_founds_nothing():
    business = MemberFactory().user

    with pytest.raises(PermissionDenied):
        set_up(actor=Actor.of_person(business), founder=Founder(user=business))


def test_an_operator_creates_an_organization_whose_administrator_can_sign_in_at_once():
    member = create_organization(actor=Actor.system(), company=COMPANY, founder=NEWCOMER)

    assert member.state == Member.State.ACTIVE
    assert member.organization.letters_released_at is not None


def test_without_a_password_the_administrator_is_invited():
    founder = Founder(skype_name="architectes.admin", email="helene@architectes.example")

    member = create_organization(actor=Actor.system(), company=COMPANY, founder=founder)

    assert (member.state, member.role) == ("invited", "administrator")
    assert Letter.objects.get().kind == Letter.Kind.INVITATION


def test_administrators_of_an_organization_create_no_other():
    with pytest.raises(PermissionDenied):
        create_organization(actor=Actor.of_member(MemberFactory(admin=True)), company=COMPANY, founder=NEWCOMER)
