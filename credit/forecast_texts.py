"""How long the wallet lasts, as a sentence for pages and letters."""

from django.utils.translation import gettext, ngettext

from credit.selectors.wallet import LEAST_KNOWN, Forecast
from skypemgr.money import money
from skypemgr.templatetags.look import day


def forecast_text(forecast: Forecast, currency: str) -> str:
    """When the wallet runs dry, or why that can't be told."""
    if forecast.is_dry:
        return gettext("The wallet is empty.")
    if forecast.a_day is None:
        if forecast.days < LEAST_KNOWN.days:
            return gettext("It is too early to tell how long this lasts.")
        text = ngettext(
            "Nothing left the wallet in the last %(days)d day.",
            "Nothing left the wallet in the last %(days)d days.",
            forecast.days,
        )
        return text % {"days": forecast.days}
    pace = money(forecast.a_day, currency)
    if forecast.dry_on is None:
        return gettext("Lasts more than a year at this pace, {pace} a day.").format(pace=pace)
    return gettext("Runs dry on {day} at this pace, {pace} a day.").format(day=day(forecast.dry_on), pace=pace)
