"""Somebody with everything that a leaver can have."""

from dataclasses import dataclass
from uuid import uuid4

from members.access import Actor
from members.models import Member, Organization
from members.services.leavers import process_leaver
from telephony.assigning import Pairing
from telephony.models import EmergencyAddress, License, PhoneNumber
from telephony.services.assignments import assign_numbers
from telephony.services.disclaimers import accept_disclaimer
from tests.credit.recharges import pay, plan
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    SeatFactory,
)

SYSTEM = Actor.system()


@dataclass
class Equipped:
    organization: Organization
    boss: Member
    member: Member
    number: PhoneNumber
    site: EmergencyAddress
    phone_system: License
    plan: License


def equipped(**facts):
    """A member of a French company with credit, auto-recharge, a number, Phone System and a calling plan."""
    organization = OrganizationFactory(country="FR", language="en")
    boss = MemberFactory(organization=organization, admin=True)
    member = MemberFactory(organization=organization, **facts)
    accept_disclaimer(actor=SYSTEM, organization=organization, country="FR")
    pay(organization, 500)
    plan(organization, member, amount=20, below=5, limit=50)
    phone_system = LicenseFactory(organization=organization)
    calling = LicenseFactory(organization=organization, code="calling-plan-domestic")
    for bought in (phone_system, calling):
        SeatFactory(license=bought, member=member)
    site = EmergencyAddressFactory(organization=organization, name="Siège")
    area = NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")
    number = PhoneNumberFactory(organization=organization, area=area)
    assign_numbers(
        actor=SYSTEM,
        organization=organization,
        pairings=[Pairing(member, number, site)],
        key=uuid4(),
    )
    return Equipped(organization, boss, member, number, site, phone_system, calling)


def leave(who, *, actor=SYSTEM, key=None, **facts):
    """Deal with their leaving."""
    return process_leaver(actor=actor, organization=who.organization, member=who.member, key=key or uuid4(), **facts)
