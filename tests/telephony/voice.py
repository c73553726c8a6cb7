from telephony.countries import current_disclaimer
from telephony.models import DisclaimerAcceptance
from tests.factories import LicenseFactory


def open_voice(organization, seats=20, accepted=("US",)):
    """Give an organization Phone System, which has accepted the disclaimers of some countries."""
    LicenseFactory(organization=organization, quantity=seats)
    for country in accepted:
        DisclaimerAcceptance.objects.create(organization=organization, disclaimer=current_disclaimer(country))
