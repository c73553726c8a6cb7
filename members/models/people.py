from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .moves import move_triggers
from .organizations import LANGUAGES, Department, Organization
from .tallies import tally_triggers
from .tenures import Tenure, tenure_triggers

SKYPE_NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9.,_-]{5,31}$"


class UserQuerySet(models.QuerySet["User"]):
    def named(self, skype_name: str) -> "UserQuerySet":
        """The account of a Skype Name, in whatever case it is written."""
        # Django's iexact compares in upper case, for which there is no index.
        return self.alias(folded_name=Lower("skype_name")).filter(folded_name=skype_name.lower())


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def named(self, skype_name: str) -> UserQuerySet:
        return self.get_queryset().named(skype_name)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.named(username or "").get()


class User(AbstractBaseUser):
    """An account that signs in, by Skype Name or by e-mail.

    A business account is owned by the organization that made it; a personal one is the person's own.
    Neither the kind nor the Skype Name ever changes, except when the person is erased.
    """

    class Kind(models.TextChoices):
        PERSONAL = "personal", _("Personal account")
        BUSINESS = "business", _("Business account")

    skype_name = models.CharField(max_length=32)
    email = models.EmailField(max_length=254)
    email_verified_at = models.DateTimeField(null=True)
    # A hundred characters, each of up to four parts.
    first_name = models.CharField(max_length=400, blank=True)
    last_name = models.CharField(max_length=400, blank=True)
    # Empty: as the organization says, then as the browser says.
    language = models.CharField(max_length=5, choices=[("", _("As the organization")), *LANGUAGES], blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    owner = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="owned_users")
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    # A first password set by an administrator has to be replaced before anything else works.
    must_change_password = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True)
    # When the present person got the account of somebody else; None while the first one has it.
    handed_over_at = models.DateTimeField(null=True)
    # Raised to end every session of the account, for good.
    session_version = models.PositiveIntegerField(default=0)

    USERNAME_FIELD = "skype_name"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("skype_name"), name="user_skype_name_once"),
            models.CheckConstraint(condition=Q(skype_name__regex=SKYPE_NAME_PATTERN), name="user_skype_name_shape"),
            models.CheckConstraint(condition=Q(kind__in=["personal", "business"]), name="user_kind_known"),
            models.CheckConstraint(condition=Q(language__in=["", "en", "fr", "sv"]), name="user_language_known"),
            models.CheckConstraint(
                condition=Q(kind="business", owner__isnull=False) | Q(kind="personal", owner=None),
                name="user_business_has_owner",
            ),
        ]
        indexes = [models.Index(Lower("email"), name="user_by_email")]
        triggers = [
            pgtrigger.Trigger(
                name="identity_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.skype_name, OLD.kind, OLD.owner_id) IS DISTINCT FROM"
                    " (NEW.skype_name, NEW.kind, NEW.owner_id) AND NEW.erased_at IS NULL)"
                ),
                func="RAISE EXCEPTION 'The Skype Name, kind and owner of an account never change.';",
            )
        ]

    def __str__(self) -> str:
        return self.skype_name

    def get_session_auth_hash(self) -> str:
        return f"{super().get_session_auth_hash()}.{self.session_version}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for earlier in super().get_session_auth_fallback_hash():
            yield f"{earlier}.{self.session_version}"

    @property
    def full_name(self) -> str:
        """First and last name as the person writes them, or "" when neither is known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def display_name(self) -> str:
        return self.name_of(self.skype_name, self.first_name, self.last_name)

    @staticmethod
    def name_of(skype_name: str, first_name: str, last_name: str) -> str:
        """What an account with these names is called, for lists that read no accounts."""
        return f"{first_name} {last_name}".strip() or skype_name

    @property
    def greeting_name(self) -> str:
        return self.first_name or self.display_name


def local_part(field: str) -> Func:
    """What stands before the @ of an address, in lower case."""
    return Func(Lower(field), Value("@"), Value(1), function="split_part", output_field=models.CharField())


def joined_month() -> Func:
    """The month of UTC in which a member joined, as its first moment without a time zone."""
    utc = Func("joined_at", template="%(expressions)s AT TIME ZONE 'UTC'", output_field=models.DateTimeField())
    return Func(Value("month"), utc, function="date_trunc", output_field=models.DateTimeField())


# Who has not left; the lists show nobody else unless they are asked to.
PRESENT = ~Q(state="left")


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, organization: Organization) -> "MemberQuerySet":
        return self.filter(organization=organization)

    def present(self) -> "MemberQuerySet":
        """Everyone who has not left."""
        return self.exclude(state=Member.State.LEFT)

    def administrators(self) -> "MemberQuerySet":
        """Administrators who can act now: an invited or blocked one can't."""
        return self.filter(role=Member.Role.ADMINISTRATOR, state=Member.State.ACTIVE)

    def named(self, skype_name: str) -> "MemberQuerySet":
        """The members whose accounts have a Skype Name, in whatever case it is written."""
        return self.alias(folded_name=Lower("user__skype_name")).filter(folded_name=skype_name.lower())

    def addressed(self, email: str) -> "MemberQuerySet":
        """The members whom their organizations know at an address, in whatever case it is written."""
        return self.alias(folded_email=Lower("email")).filter(folded_email=email.lower())

    def with_people(self) -> "MemberQuerySet":
        return self.select_related("user", "department")


class Member(models.Model):
    """A user in an organization. ``email`` is the address at which the organization knows the person."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        MEMBERS_MANAGER = "members_manager", _("Members manager")
        CREDIT_MANAGER = "credit_manager", _("Credit manager")
        VOICE_MANAGER = "voice_manager", _("Voice manager")
        REPORTS_VIEWER = "reports_viewer", _("Reports viewer")
        MEMBER = "member", _("Member")

    class State(models.TextChoices):
        INVITED = "invited", _("Invited")
        ACTIVE = "active", _("Active")
        BLOCKED = "blocked", _("Blocked")
        LEFT = "left", pgettext_lazy("state", "Left")

    # Every index of its own begins with the organization.
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="members", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    # That of the account, which never changes, beside what lists are filtered by; the database fills it in.
    account_kind = models.CharField(max_length=10, choices=User.Kind, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="members")
    role = models.CharField(max_length=20, choices=Role, default=Role.MEMBER)
    state = models.CharField(max_length=10, choices=State, default=State.INVITED)
    email = models.EmailField(max_length=254)
    # A hundred characters, each of up to four parts; the organization's to say, of personal accounts too.
    job_title = models.CharField(max_length=400, blank=True, default="", db_default="")
    # Names sort by a key computed in the organization's language; the database has no ICU (decision 8).
    sort_key = models.CharField(max_length=600)
    # Folded name, Skype Name and address, for the search box.
    search_text = models.CharField(max_length=600)
    created_at = models.DateTimeField(auto_now_add=True)
    joined_at = models.DateTimeField(null=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="member_in_organization"),
            models.UniqueConstraint(fields=["organization", "user"], name="member_once_per_organization"),
            models.UniqueConstraint(
                "organization", Lower("email"), condition=~Q(state="left"), name="member_email_once_per_organization"
            ),
            models.CheckConstraint(
                condition=Q(
                    role__in=[
                        "administrator",
                        "members_manager",
                        "credit_manager",
                        "voice_manager",
                        "reports_viewer",
                        "member",
                    ]
                ),
                name="member_role_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["invited", "active", "blocked", "left"]), name="member_state_known"
            ),
            models.CheckConstraint(condition=Q(account_kind__in=["personal", "business"]), name="member_kind_known"),
        ]
        # One for each filter of the list in each of its orders (decision 8); who has left is found by state alone.
        indexes = [
            models.Index(fields=["organization", "sort_key", "id"], condition=PRESENT, name="member_by_name"),
            models.Index(
                fields=["organization", "department", "sort_key", "id"], condition=PRESENT, name="member_by_department"
            ),
            models.Index(fields=["organization", "state", "sort_key", "id"], name="member_by_state"),
            # By which switches call people.
            models.Index("organization", local_part("email"), name="member_by_local_part"),
            models.Index(fields=["organization", "role", "sort_key", "id"], condition=PRESENT, name="member_by_role"),
            models.Index(
                fields=["organization", "account_kind", "sort_key", "id"], condition=PRESENT, name="member_by_kind"
            ),
            models.Index(fields=["organization", "-created_at", "-id"], condition=PRESENT, name="member_newest"),
            models.Index(
                fields=["organization", "department", "-created_at", "-id"],
                condition=PRESENT,
                name="member_newest_by_department",
            ),
            models.Index(fields=["organization", "state", "-created_at", "-id"], name="member_newest_by_state"),
            models.Index(
                fields=["organization", "role", "-created_at", "-id"], condition=PRESENT, name="member_newest_by_role"
            ),
            models.Index(
                fields=["organization", "account_kind", "-created_at", "-id"],
                condition=PRESENT,
                name="member_newest_by_kind",
            ),
            models.Index(fields=["organization", "joined_at"], name="member_joined"),
            models.Index(
                "organization",
                joined_month(),
                F("created_at").desc(),
                F("id").desc(),
                F("joined_at"),
                condition=PRESENT,
                name="member_newest_by_month",
            ),
            GinIndex(F("organization"), OpClass(F("search_text"), "gin_trgm_ops"), name="member_search"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="kind_of_account",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("user_id", "account_kind"),
                func="SELECT kind INTO NEW.account_kind FROM members_user WHERE id = NEW.user_id; RETURN NEW;",
            ),
            *tally_triggers(),
            *tenure_triggers(),
            *move_triggers(),
        ]

    def __str__(self) -> str:
        return f"member {self.pk}"

    @property
    def waits_for_somebody(self) -> bool:
        """Whether the account was handed over, and the invitation to it taken back: it is nobody's for now."""
        return self.state == self.State.BLOCKED and self.user.handed_over_at is not None and self.joined_at is None

    @cached_property
    def predecessors(self) -> list[Tenure]:
        """Whoever had the account before, the first one first; ``tenures.know_predecessors`` asks for many at once."""
        if self.user.handed_over_at is None:
            return []
        return list(self.tenures.filter(started_at__lt=self.user.handed_over_at).order_by("started_at", "pk"))

    def name_at(self, moment: datetime) -> str:
        """What the person was called who had the account at ``moment``."""
        had = next((tenure for tenure in self.predecessors if tenure.ended_at and moment < tenure.ended_at), None)
        return (had or self.user).display_name
