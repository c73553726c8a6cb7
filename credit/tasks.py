"""The index that Celery discovers; each task stands at the foot of the service it wakes."""

from credit.services.alert_letters import watch_wallets_task
from credit.services.recharge_sweep import recharge_members_task
from credit.services.wallet_recharge_work import look_after_cards_task

__all__ = ["look_after_cards_task", "recharge_members_task", "watch_wallets_task"]
