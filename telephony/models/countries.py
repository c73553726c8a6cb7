import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import Member, Organization, User


class CountryRule(models.Model):
    """What a country asks of numbers and emergency addresses; `countries.rule_of` gives that of any country.

    ``address_first``: a number is acquired with an emergency address, not before one. ``area_match`` says what
    happens when an address is elsewhere than the area of its number. ``place_needed``: whoever gets a number is at a
    place of the address, as rescuers have to be told floor and room. ``emergency_numbers`` are those that people
    there call, as "112, 15".
    """

    class AreaMatch(models.TextChoices):
        NONE = "none", _("Not compared")
        WARN = "warn", pgettext_lazy("country rule", "Warned about")
        REFUSE = "refuse", pgettext_lazy("country rule", "Refused")

    country = models.CharField(max_length=2, unique=True)
    address_first = models.BooleanField()
    area_match = models.CharField(max_length=6, choices=AreaMatch, default=AreaMatch.NONE)
    place_needed = models.BooleanField(default=False, db_default=False)
    emergency_numbers = models.CharField(max_length=60, blank=True)
    # None: as it came with the product.
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="country_rule_country_shape"),
            models.CheckConstraint(
                condition=Q(area_match__in=["none", "warn", "refuse"]), name="country_rule_area_match_known"
            ),
        ]

    def __str__(self) -> str:
        return self.country


class Disclaimer(models.Model):
    """What an organization has to accept before addresses and numbers of a country are used, from a day on.

    The newest version that has begun counts. Never changed, never deleted: what was accepted can be read again.
    """

    country = models.CharField(max_length=2)
    version = models.PositiveIntegerField()
    text_en = models.TextField(max_length=4000)
    text_fr = models.TextField(max_length=4000)
    text_sv = models.TextField(max_length=4000)
    begins_at = models.DateTimeField()
    # None: it came with the product.
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["country", "version"], name="disclaimer_version_once"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="disclaimer_country_shape"),
            models.CheckConstraint(condition=Q(version__gte=1), name="disclaimer_versions_begin_with_one"),
            models.CheckConstraint(
                condition=~Q(text_en="") & ~Q(text_fr="") & ~Q(text_sv=""), name="disclaimer_in_each_language"
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.country} {self.version}"

    def text_in(self, language: str) -> str:
        """The text in a language, in English where there is none."""
        return str(getattr(self, f"text_{language.partition('-')[0]}", self.text_en))


class DisclaimerAcceptance(models.Model):
    """An organization accepted a disclaimer: who, and when. Never changed, never deleted."""

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="disclaimer_acceptances", db_index=False
    )
    disclaimer = models.ForeignKey(Disclaimer, models.PROTECT, related_name="acceptances")
    # None: the system, or whoever runs the installation.
    accepted_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    accepted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="acceptance_in_organization"),
            models.UniqueConstraint(fields=["organization", "disclaimer"], name="disclaimer_accepted_once"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"acceptance {self.pk}"


class Postcode(models.Model):
    """A city that a postal code of a country belongs to; some codes have several. Loaded by ``load_postcodes``.

    ``code`` is in capitals and without spaces; of Great Britain it is the letters of the area alone. ``region`` is
    the code of a state or a department. The post calls a city by its ``main`` name, takes ``other`` names as well,
    and knows what an ``alias`` means.
    """

    class Use(models.TextChoices):
        MAIN = "main", pgettext_lazy("name of a city", "Main name")
        OTHER = "other", pgettext_lazy("name of a city", "Other name")
        ALIAS = "alias", pgettext_lazy("name of a city", "Alias")

    country = models.CharField(max_length=2)
    code = models.CharField(max_length=12)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=10, blank=True)
    use = models.CharField(max_length=5, choices=Use, default=Use.MAIN)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["country", "code", "city"], name="postcode_city_once"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="postcode_country_shape"),
            models.CheckConstraint(condition=Q(use__in=["main", "other", "alias"]), name="postcode_use_known"),
            models.CheckConstraint(condition=~Q(code="") & ~Q(city=""), name="postcode_has_city"),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.code} {self.city}"
