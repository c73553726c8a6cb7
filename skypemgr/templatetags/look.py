"""Words and small drawings every page uses; a builtin library, so templates don't load it."""

from collections.abc import Iterable
from copy import copy
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any

from babel import Locale
from babel.dates import DateTimePattern
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from skypemgr.characters import graphemes
from skypemgr.locales import present_locale
from skypemgr.money import money

register = template.Library()

HUES = 5


@register.simple_tag
@cache
def icon(name: str, classes: str = "") -> SafeString:
    """The drawing ``name`` of the sprite; it says nothing to a screen reader."""
    return format_html(
        "<svg class={} aria-hidden=true><use href={}#{} /></svg>",
        format_html('"icon {}"', classes) if classes else "icon",
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def avatar(who: Any, classes: str = "", hue: int | None = None) -> SafeString:
    """The initials of a member, a user, an organization or a name, in a color that stays with them.

    The color is that of ``hue`` (1 to 5), else of the key of ``who``; a bare name has the first.
    """
    if hue is None:
        hue = (getattr(who, "pk", None) or 0) % HUES + 1
    return format_html(
        '<span class="avatar{}{}" aria-hidden="true">{}</span>',
        f" avatar-{hue}" if hue > 1 else "",
        f" {classes}" if classes else "",
        initials(who),
    )


@register.filter
def each_once(things: Iterable[Any] | None) -> list[Any]:
    """``things`` without those that read as one before them; [] where there are none."""
    return list({str(thing): thing for thing in things or ()}.values())


@register.filter
def initials(who: Any) -> str:
    """The first letters of the first and the last name, particles left out: "Yann Le Goff" gives YG."""
    name = _name(who)
    parts = [part for part in name.replace("-", " ").split() if part[0].isupper()]
    # By characters as people see them: half of an emoji is another one, or none.
    if len(parts) > 1:
        return next(graphemes(parts[0])) + next(graphemes(parts[-1]))
    return "".join(next(graphemes(one.upper())) for one in islice(graphemes(name), 2))


def _name(who: Any) -> str:
    person = getattr(who, "user", who)
    return getattr(person, "display_name", None) or getattr(person, "name", None) or str(person)


@register.filter
def day(value: date | datetime | None) -> str:
    """A day as "21 November", or "3 March 2025" in another year; of an instant, its day in the current time zone."""
    if not value:
        return ""
    value = _local(value)
    locale = present_locale()
    pattern = _skeleton(locale, "MMMMd") if value.year == _this_year() else locale.date_formats["long"]
    return pattern.apply(value, locale)


def short_day(value: date) -> str:
    """A day where there is little room: "21 Nov"."""
    return _skeleton(present_locale(), "MMMd").apply(value, present_locale())


@register.filter
def month(value: date | None) -> str:
    """The month of a day as "November 2026"."""
    return "" if value is None else _skeleton(present_locale(), "yMMMM").apply(value, present_locale())


@register.filter
def month_name(value: date | None) -> str:
    """The month of a day as "November"; the year stands beside it."""
    return "" if value is None else present_locale().months["stand-alone"]["wide"][value.month]


@register.filter
def clock(value: datetime | time | None) -> str:
    """The time as "15:04", in the current time zone."""
    if value is None or value == "":
        return ""
    locale = present_locale()
    return _skeleton(locale, "Hm").apply(_local(value), locale)


@register.filter
def moment(value: datetime | None) -> str:
    """An instant for tables: "18 Nov, 14:20", with the year if it is another one, in a ``<time>``."""
    if not value:
        return ""
    value = _local(value)
    locale = present_locale()
    skeleton = "MMMd" if value.year == _this_year() else "yMMMd"
    # Only Babel's own patterns and digits go in here, so there is nothing to escape.
    text = str(locale.datetime_formats["medium"]).format(
        _skeleton(locale, "Hm").apply(value, locale), _skeleton(locale, skeleton).apply(value, locale)
    )
    return mark_safe(f'<time datetime="{value.isoformat(timespec="seconds")}">{text}</time>')  # noqa: S308


@register.filter
def count(value: int | str | None) -> str:
    """A number with the group marks of the language: 1,240 in English, 1 240 in French."""
    if value is None or value == "":
        return ""
    locale = present_locale()
    return locale.decimal_formats[None].apply(value, locale)


@register.filter(name="money")
def show_money(value: Decimal | None, currency: str) -> str:
    """An amount in a currency, as the language writes it: €1,284.50."""
    return "" if value is None else money(value, currency)


@register.filter
def money_change(value: Decimal | None, currency: str) -> str:
    """An amount that came or went, for statements: +€20.00, −€1.15."""
    return "" if value is None else money(value, currency, sign=True)


def change(now: Decimal | int, before: Decimal | int) -> str:
    """How much more or less there is than before, in percent: "+12.1%"; "" where there was nothing to compare with."""
    if not before:
        return ""
    locale = present_locale()
    share = Decimal(now) / Decimal(before) - 1
    pattern = copy(locale.percent_formats[None])
    pattern.frac_prec = (0, 1)
    text = pattern.apply(abs(share), locale)
    return ("−" if share < 0 else "+" if share else "") + str(text)


def _local(value: Any) -> Any:
    return timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value


def _this_year() -> int:
    return timezone.localdate().year


@cache
def _skeleton(locale: Locale, name: str) -> DateTimePattern:
    return locale.datetime_skeletons[name]
