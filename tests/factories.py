from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from members.api_tokens import digest_of, new_token
from members.factors import seal_secret
from members.models import (
    ApiToken,
    AuthenticatorApp,
    Department,
    HelpFeedback,
    Invitation,
    Member,
    Organization,
    Passkey,
    Tenure,
    User,
)
from members.names import search_text, sort_key
from members.newcomers import sorting_of
from reports.models import ReportReader, SavedReport
from telephony.models import (
    EmergencyAddress,
    EmergencyAddressVersion,
    License,
    LicenseAssignment,
    LicensePeriod,
    NumberArea,
    NumberOwnership,
    PhoneNumber,
    Place,
    PortLetter,
    PortNumber,
    PortOrder,
    PortStep,
    Product,
)
from telephony.models.emergency import name_key
from tests.soft_passkey import SoftPasskey

PASSWORD = "three quiet herons wait"
# Of every authenticator app of the tests.
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class OrganizationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    slug = factory.Sequence(lambda n: f"organization-{n}")
    country = "FR"
    currency = "EUR"
    time_zone = "Europe/Paris"
    language = "en"
    letters_released_at = factory.LazyFunction(timezone.now)


class UserFactory(factory.django.DjangoModelFactory):
    """A personal account with a verified address and the password PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        business_of = None
        waiting = False

    skype_name = factory.Sequence(lambda n: f"person.number{n}")
    email = factory.LazyAttribute(lambda user: f"{user.skype_name}@people.example")
    email_verified_at = factory.LazyFunction(timezone.now)
    first_name = "Robin"
    last_name = factory.Sequence(lambda n: f"Person{n}")
    kind = factory.LazyAttribute(lambda user: "business" if user.business_of else "personal")
    owner = factory.LazyAttribute(lambda user: user.business_of)
    password = factory.LazyAttribute(lambda user: make_password(None if user.waiting else PASSWORD))


class AuthenticatorAppFactory(factory.django.DjangoModelFactory):
    """A second factor: an app that makes codes of SECRET."""

    class Meta:
        model = AuthenticatorApp

    user = factory.SubFactory(UserFactory)
    secret = factory.LazyFunction(lambda: seal_secret(SECRET))


class PasskeyFactory(factory.django.DjangoModelFactory):
    """A passkey that nobody has: to be seen, not to be used."""

    class Meta:
        model = Passkey
        exclude = ("made",)

    made = factory.LazyFunction(SoftPasskey)
    user = factory.SubFactory(UserFactory)
    name = "Phone"
    credential_id = factory.LazyAttribute(lambda passkey: passkey.made.credential_id)
    credential = factory.LazyAttribute(lambda passkey: passkey.made.credential)


class SavedReportFactory(factory.django.DjangoModelFactory):
    """A report that is sent each month to whoever saved it."""

    class Meta:
        model = SavedReport
        skip_postgeneration_save = True

    saved_by = factory.SubFactory("tests.factories.MemberFactory", admin=True)
    organization = factory.SelfAttribute("saved_by.organization")
    name = "Usage"
    report = "usage"
    sent = "monthly"
    format = "csv"

    @factory.post_generation
    def readers(self, create, extracted, **kwargs):
        for member in extracted or [self.saved_by]:
            ReportReader.objects.create(organization=self.organization, saved=self, member=member)


class ApiTokenFactory(factory.django.DjangoModelFactory):
    """``token`` is what a program would send."""

    class Meta:
        model = ApiToken
        exclude = ("token",)

    token = factory.LazyFunction(new_token)
    made_by = factory.SubFactory("tests.factories.MemberFactory", admin=True)
    organization = factory.SelfAttribute("made_by.organization")
    name = "Call import"
    digest = factory.LazyAttribute(lambda row: digest_of(row.token))
    ending = factory.LazyAttribute(lambda row: row.token[-4:])
    scopes = factory.LazyFunction(lambda: ["members:read"])
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=90))


class DepartmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Department

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Department {n}")
    path = factory.LazyAttribute(lambda d: f"{d.parent.path} / {d.name}" if d.parent else d.name)
    sort_key = factory.LazyAttribute(lambda d: d.path.lower())
    parent = None


class MemberFactory(factory.django.DjangoModelFactory):
    """An active member with a business account. Traits: admin, invited, personal."""

    class Meta:
        model = Member

    class Params:
        admin = factory.Trait(role=Member.Role.ADMINISTRATOR)
        invited = factory.Trait(state=Member.State.INVITED, joined_at=None)
        personal = False

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(
        UserFactory,
        business_of=factory.LazyAttribute(
            lambda user: None if user.factory_parent.personal else user.factory_parent.organization
        ),
        waiting=factory.LazyAttribute(lambda user: user.factory_parent.state == Member.State.INVITED),
    )
    email = factory.SelfAttribute("user.email")
    state = Member.State.ACTIVE
    joined_at = factory.LazyFunction(timezone.now)
    sort_key = factory.LazyAttribute(lambda m: sorting_of(m.user, m.organization, m.email)["sort_key"])
    search_text = factory.LazyAttribute(lambda m: sorting_of(m.user, m.organization, m.email)["search_text"])


class InvitationFactory(factory.django.DjangoModelFactory):
    """An open invitation of an invited member with a business account."""

    class Meta:
        model = Invitation

    member = factory.SubFactory(MemberFactory, invited=True)
    organization = factory.SelfAttribute("member.organization")
    kind = "business"
    user = factory.SelfAttribute("member.user")
    email = factory.SelfAttribute("member.email")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timezone.timedelta(days=14))


def had_before(member: Member, **person: str) -> Tenure:
    """Have ``member``'s account come from somebody else, an hour ago; gives their tenure, as it is over."""
    moment = timezone.now() - timedelta(hours=1)
    Tenure.objects.filter(member=member).update(started_at=moment)
    User.objects.filter(pk=member.user_id).update(handed_over_at=moment)
    member.user.handed_over_at = moment
    facts = {"started_at": moment - timedelta(days=90), "ended_at": moment, **person}
    return Tenure.objects.create(organization=member.organization, member=member, **facts)


class HelpFeedbackFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = HelpFeedback

    article = "allocate-credit"
    language = "en"
    useful = True
    key = factory.LazyFunction(uuid4)


class EmergencyAddressFactory(factory.django.DjangoModelFactory):
    """1 rue de Rivoli in Paris, validated, or whatever ``civic`` says."""

    class Meta:
        model = EmergencyAddress

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Site {n}")
    name_key = factory.LazyAttribute(lambda address: name_key(address.name))
    country = "FR"
    sort_key = factory.LazyAttribute(lambda address: sort_key(address.name, address.organization.language))

    @classmethod
    def _create(cls, model_class, *args, **facts):
        civic, status = _civic(facts.pop("civic", {})), facts.pop("status", "validated")
        facts["search_text"] = search_text(facts["name"], *civic.values())
        address = super()._create(model_class, *args, **facts)
        address.current = EmergencyAddressVersion.objects.create(
            organization=address.organization,
            address=address,
            number=1,
            typed=civic,
            status=status,
            validator_version="1",
            content_hash="0" * 64,
            **civic,
        )
        address.save(update_fields=["current"])
        return address


def _civic(given):
    return {"house_number": "1", "street": "rue de Rivoli", "city": "Paris", "postal_code": "75001", **given}


class NumberAreaFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = NumberArea
        django_get_or_create = ("country", "region", "city", "type")

    country = "US"
    region = "Washington"
    city = "Redmond"
    type = "user"


class PhoneNumberFactory(factory.django.DjangoModelFactory):
    """A free number of Redmond; with ``organization`` one that it owns."""

    class Meta:
        model = PhoneNumber

    number = factory.Sequence(lambda n: f"+1425555{n:04}")
    area = factory.SubFactory(NumberAreaFactory)

    @classmethod
    def _create(cls, model_class, *args, **facts):
        owner = facts.get("organization")
        if owner is not None:
            facts.setdefault("acquired_at", timezone.now())
        number = super()._create(model_class, *args, **facts)
        if owner is not None:
            NumberOwnership.objects.create(
                organization=owner, number=number, source=number.source, since=number.acquired_at
            )
        return number


class PortOrderFactory(factory.django.DjangoModelFactory):
    """An order of one number of Lyon, with its letter, that waits to be looked at."""

    class Meta:
        model = PortOrder
        skip_postgeneration_save = True

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Site {n}")
    country = "FR"
    type = "user"
    city = "Lyon"
    carrier = "Télécom du Rhône"
    account_number = "4711"
    authorized_by = "Zoé Martin"
    made_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def content(self, create, extracted, **facts):
        same = {"organization": self.organization, "order": self}
        PortNumber.objects.create(**same, number=f"+3347{self.pk:07}", open=self.open)
        PortStep.objects.create(**same, state=self.state, made_at=self.made_at)
        PortLetter.objects.create(
            **same,
            name="letter.pdf",
            content_type="application/pdf",
            content=b"%PDF-1.7",
            size=8,
            uploaded_at=self.made_at,
        )


class PlaceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Place

    address = factory.SubFactory(EmergencyAddressFactory)
    organization = factory.SelfAttribute("address.organization")
    name = factory.Sequence(lambda n: f"Floor {n}")
    name_key = factory.LazyAttribute(lambda place: name_key(place.name))


class LicenseFactory(factory.django.DjangoModelFactory):
    """Ten seats of Phone System, or of the product that ``code`` names, paid for long, though no credit was moved."""

    class Meta:
        model = License
        skip_postgeneration_save = True

    class Params:
        code = "phone-system"

    organization = factory.SubFactory(OrganizationFactory)
    product = factory.LazyAttribute(lambda bought: Product.objects.get(code=bought.code))
    quantity = 10
    renewed_quantity = factory.SelfAttribute("quantity")
    months = 1
    monthly_price = Decimal("8.40")
    anchored_on = began_on = date(2026, 1, 1)
    renews_on = date(2126, 1, 1)

    @factory.post_generation
    def period(self, create, extracted, **facts):
        days = {"begins_on": self.began_on, "ends_before": self.renews_on}
        LicensePeriod.objects.create(
            organization=self.organization, license=self, quantity=self.quantity, amount=0, **days
        )


class SeatFactory(factory.django.DjangoModelFactory):
    """A seat that a new member has."""

    class Meta:
        model = LicenseAssignment

    license = factory.SubFactory(LicenseFactory)
    organization = factory.SelfAttribute("license.organization")
    product = factory.SelfAttribute("license.product")
    member = factory.SubFactory(MemberFactory, organization=factory.SelfAttribute("..organization"))
    assigned_at = factory.LazyFunction(timezone.now)
