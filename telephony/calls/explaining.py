"""Why a call costs what it costs, line by line, in the language of whoever reads."""

from collections.abc import Iterator

from django.utils.formats import get_format
from django.utils.translation import gettext

from members.places import country_name
from skypemgr.money import money
from skypemgr.templatetags.look import count, day
from telephony.models import Call, PrefixRate
from telephony.product_names import name_of
from telephony.rating import billed_seconds, explain
from telephony.rating.prices import RATE_DECIMALS

Outcome = Call.Outcome


def explain_call(call: Call) -> list[str]:
    """Sentences, the first of which says what came of it. ``call`` comes with its rate, version and deck."""
    lines = [_outcome(call)]
    if call.rate is not None and call.outcome in (Outcome.RATED, Outcome.COVERED):
        lines += _price(call, call.rate)
    return lines


def _outcome(call: Call) -> str:
    match call.outcome:
        case Outcome.UNANSWERED:
            return gettext("Nobody answered, so it costs nothing.")
        case Outcome.EMERGENCY:
            return gettext("Calls to emergency numbers cost nothing.")
        case Outcome.SHORT:
            return gettext("Calls to short numbers, as of a hotline, cost nothing.")
        case Outcome.INTERNAL:
            return gettext("Calls inside the organization cost nothing.")
        case Outcome.INBOUND:
            return gettext("Calls that come in cost nothing.")
        case Outcome.COVERED:
            text = gettext("{plan} covers it: calls to {country} cost nothing as long as its minutes last.")
            return text.format(plan=name_of(call.plan), country=country_name(call.country))
        case Outcome.UNRATED:
            return gettext(
                "No rate is known for this number. It costs nothing until one is loaded and it is rated again."
            )
        case Outcome.UNASSIGNED:
            return gettext("Nobody is known by its account or its number. It costs nothing until it is somebody’s.")
    return gettext("It was charged by the rate deck.")


def _price(call: Call, found: PrefixRate) -> Iterator[str]:
    version, rate, currency = found.version, found.rate, found.version.deck.currency
    texts = {
        True: gettext("Version {number} of the organization’s own rates counts since {since}."),
        False: gettext("Version {number} of the general rates counts since {since}."),
    }
    yield texts[version.deck.organization_id is not None].format(
        number=count(version.number), since=day(version.valid_from)
    )
    yield gettext(
        "{destination} are numbers that begin with +{prefix}: {minute} a minute, {fee} for the connection."
    ).format(
        destination=found.destination,
        prefix=found.prefix,
        minute=money(rate.per_minute, currency, most=RATE_DECIMALS),
        fee=money(rate.connection_fee, currency, most=RATE_DECIMALS),
    )
    billed = billed_seconds(rate, call.seconds)
    text = gettext(
        "It lasted {seconds} seconds, of which {billed} are billed: the first {first} as a whole, then each {next} that"
        " have begun."
    )
    yield text.format(
        seconds=count(call.seconds),
        billed=count(billed),
        first=count(rate.first_increment),
        next=count(rate.next_increment),
    )
    numbers = explain(rate, call.seconds, decimals=version.decimals)
    yield numbers.replace(".", get_format("DECIMAL_SEPARATOR"))
