"""The jobs of this app, registered when it starts."""

from credit.services.alert_letters import send_digest
from credit.services.card_messages import purge_card_messages
from credit.services.idle_credit_work import watch_idle_credit
from credit.services.orders import expire_orders
from credit.services.recharge_sweep import resume_recharges, sweep_recharges
from credit.services.seals import seal_ledgers
from credit.services.wallet_recharge_work import sweep_wallets
from members import jobs
from members.jobs import Job
from members.periods import Every


def register() -> None:
    """Register the jobs of this app."""
    jobs.add(
        Job(name="expire_orders", every=Every.HOUR, work=lambda run: expire_orders()),
        Job(name="purge_card_messages", every=Every.DAY, work=lambda run: purge_card_messages()),
        Job(name="seal_ledgers", every=Every.HOUR, work=lambda run: seal_ledgers()),
        # Whoever comes back after days is told once how things are now.
        Job(name="send_credit_digests", every=Every.DAY, work=send_digest, per_organization=True),
        Job(name="watch_idle_credit", every=Every.DAY, work=watch_idle_credit, per_organization=True),
        Job(name="sweep_recharges", every=Every.HOUR, work=sweep_recharges),
        Job(name="sweep_wallets", every=Every.HOUR, work=lambda run: sweep_wallets()),
        # After a month without a tick one look is enough: what matters is who is low now.
        Job(name="resume_recharges", every=Every.MONTH, work=resume_recharges, per_organization=True),
    )
