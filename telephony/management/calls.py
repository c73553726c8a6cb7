"""What commands tell of calls."""

from typing import Any

from telephony.services.call_queues import ResolvedCalls


def told(resolved: ResolvedCalls) -> dict[str, Any]:
    """How many calls wait no more, how many still do, and what was charged."""
    return {"calls": resolved.calls, "waiting": resolved.waiting, "charged": resolved.charged}
