"""What was validated, sealed, on its way through a form: only exactly that can be saved."""

from django.core import signing

from members.models import Organization
from telephony.address_errors import NotValidated
from telephony.validation import Civic, Result

# Whoever leaves a form open longer validates again.
DAY = 24 * 3600


def seal(organization: Organization, result: Result) -> str:
    """A result, to be given back by the form; nobody can write another, and it is worth nothing elsewhere."""
    return signing.dumps(result.as_json(), salt=_salt(organization), compress=True)


def unseal(organization: Organization, token: str, civic: Civic) -> Result:
    """The result of exactly this content. Raises NotValidated for any other, and for one that is a day old."""
    try:
        result = Result.from_json(signing.loads(token, salt=_salt(organization), max_age=DAY))
    except signing.BadSignature:
        raise NotValidated from None
    if (result.normalized if result.accepted else result.typed) != civic:
        raise NotValidated
    return result


def _salt(organization: Organization) -> str:
    return f"telephony.validated.{organization.pk}"
