"""What opens the section Voice."""

from members.models import Organization
from telephony.errors import VoiceClosed
from telephony.selectors.licenses import voice_is_open


def require_voice(organization: Organization) -> None:
    """Raise VoiceClosed unless one of the products that open Voice is owned (004-10)."""
    if not voice_is_open(organization):
        raise VoiceClosed
