"""The secret of an authenticator app between the page that shows it and the code that proves it: nothing is kept."""

import json

from skypemgr.sealing import Unsealable, seal, unseal

PURPOSE = "members.authenticator_draft"
SECONDS = 1_800


def write_draft(secret: str, *, account: int) -> str:
    """``secret`` sealed for one account, for half an hour."""
    return seal(json.dumps([account, secret]), purpose=PURPOSE)


def read_draft(draft: str, *, account: int) -> str:
    """The secret of a draft. Raises Unsealable when it is forged, too old, or somebody else's."""
    owner, secret = json.loads(unseal(draft, purpose=PURPOSE, max_age=SECONDS))
    if owner != account:
        raise Unsealable
    return secret
