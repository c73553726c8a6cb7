"""Whom assigning seats to many concerns, and why others are left alone: told before it is done, and done by the same.

Conditions that the database looks at for all of them at once, however many were chosen.
"""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from members.bulk import Exceptions
from members.models import Member, Organization, User
from telephony.catalog import Catalog
from telephony.models import LicenseAssignment, Product
from telephony.models.licenses import LicenseAssignmentQuerySet


def assign_exceptions(organization: Organization, product: Product) -> Exceptions:
    """Who gets no seat of a product, and why; whose seat sleeps gets one in its place, as ``plan_assignment`` says."""
    catalog, code = Catalog.load(), product.code
    own = _seats(organization, [product])
    has_none = ~Q(Exists(own))
    including = [other for other in catalog.products.values() if code in catalog.includes[other.code]]
    found = [
        ("left", Q(state=Member.State.LEFT)),
        ("there", Q(Exists(own.awake()))),
        ("personal", Q(account_kind=User.Kind.PERSONAL)),
        ("included", has_none & Q(Exists(_seats(organization, including)))),
    ]
    if not product.business_only:
        del found[2]
    if required := catalog.requires[code]:
        meeting = [other for other in catalog.products.values() if required & catalog.had_with([other.code])]
        found.append(("lacking", has_none & ~Q(Exists(_seats(organization, meeting)))))
    return found


def unassign_exceptions(organization: Organization, product: Product) -> Exceptions:
    """Who has no seat of a product that could be taken away."""
    return [("none", ~Q(Exists(_seats(organization, [product]))))]


def holders(organization: Organization, product: Product) -> Q:
    """Members who have a seat of a product, asleep or not."""
    return Q(Exists(_seats(organization, [product])))


def _seats(organization: Organization, products: Iterable[Product]) -> LicenseAssignmentQuerySet:
    keys = [product.pk for product in products]
    return LicenseAssignment.objects.filter(organization=organization, product__in=keys, member=OuterRef("pk")).open()
