"""What credit keeps about a member, for the file they may ask for."""

from django.http import QueryDict

from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount, RechargePlan
from credit.selectors.statements import Statement
from members.models import Member
from members.tenures import Stint


def credit_of(member: Member, stint: Stint) -> dict[str, object]:
    """The balance of a member, their auto-recharge, and everything that moved their credit, newest first.

    Of a person who had the account before, the balance they left, and what moved in their time.
    """
    account = LedgerAccount.objects.filter(member=member).first()
    present = RechargePlan.objects.filter(member=member, active=True)
    plan = None if stint.until else present.first()
    statement = Statement.read(
        member.organization, account, QueryDict(), kind=LedgerAccount.Kind.MEMBER, by=False, stint=stint
    )
    return {
        "currency": member.organization.currency,
        "balance": statement.closing if account else NO_CREDIT,
        "auto_recharge": plan and {"amount": plan.amount, "below": plan.below, "monthly_limit": plan.monthly_limit},
        "statement": [
            {
                "at": line.transfer.recorded_at,
                "what": line.transfer.operation,
                "change": line.change,
                "balance": line.balance,
                "reason": line.transfer.reason,
            }
            for some in statement.chunks()
            for line in some
        ],
    }
