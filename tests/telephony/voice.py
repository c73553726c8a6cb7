from tests.factories import LicenseFactory


def open_voice(organization, seats=20):
    """Give an organization Phone System."""
    LicenseFactory(organization=organization, quantity=seats)
