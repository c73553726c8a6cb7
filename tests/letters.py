"""Letters as their readers get them."""

from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from members.gateways.mail import render_letter
from members.letter_texts import compose


def written(letter):
    """What a letter is sent as."""
    composed = compose(letter)
    with translation.override(composed.language), timezone.override(ZoneInfo(composed.time_zone)):
        return render_letter(
            template=letter.kind, context=composed.context, address=letter.email, message_id=letter.message_id
        )
