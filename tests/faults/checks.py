"""What people were told, against what the database and the mail server hold."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count

from credit.gateways.minor_units import to_minor_units
from credit.models import Payment, Transfer
from members.models import Batch, Invitation, Letter, Member
from members.throttle import RESET_LETTERS
from skypemgr.invariants import find_violations
from tests.faults.people import Act, History
from tests.faults.stack import Stack

# How often something may have been done, by what its asker was told.
TIMES = {"ok": (1, 1), "refused": (0, 0), "unknown": (0, 1)}


def disagreements(stack: Stack, history: History, *, since: datetime, mark: str, duplicates: int) -> list[str]:
    """Everything that was promised and not done, done and not promised, or done twice; [] when all is well."""
    found: list[str] = []
    with stack.connected():
        found += [f"{one.invariant}: {one.message}" for one in find_violations()]
        found += _invitations(history)
        found += _imports(history)
        found += _moves(history)
        found += _blocks(history)
        found += _allocations(history)
        found += _joined(history)
        found += _resets(history, since)
        found += payments_disagree(stack)
        found += _letters(stack, since, mark, duplicates)
    found += [f"{act.kind} was signed out" for act in history.acts if act.told == "signed out"]
    found += [f"{act.kind} was answered 500" for act in history.acts if 500 in act.statuses]
    return found


def payments_disagree(stack: Stack) -> Iterator[str]:
    """I6: what the cards of our customers were charged is what the wallets were credited for, payment by payment."""
    charged = {
        payment["id"]: (payment["amount"], payment["currency"].upper())
        for payment in stack.stripe.charges()
        if payment["metadata"]
    }
    credited = {
        payment.reference: (
            to_minor_units(payment.amount, payment.organization.currency),
            payment.organization.currency,
        )
        for payment in Payment.objects.filter(gateway="stripe").select_related("organization")
    }
    for name in charged.keys() | credited.keys():
        if charged.get(name) != credited.get(name):
            yield f"{name} was charged {charged.get(name)} and credited {credited.get(name)}"


def _wrong(act: Act, times: int, what: str) -> Iterator[str]:
    least, most = TIMES.get(act.told, (0, 1))
    if not least <= times <= most:
        yield f"{act.kind} of {what} was told {act.told!r} and done {times} times ({act.statuses})"


def _invitations(history: History) -> Iterator[str]:
    for act in history.of("invite"):
        invitations = Invitation.objects.filter(email=act.facts["address"])
        yield from _wrong(act, invitations.count(), act.facts["address"])
        for invitation in invitations:
            if invitation.letters.count() != 1:
                yield f"{act.facts['address']} has {invitation.letters.count()} letters"


def _imports(history: History) -> Iterator[str]:
    if Batch.objects.filter(state__in=[Batch.State.READING, Batch.State.RUNNING]).exists():
        yield "an import is still being carried out"
    for act in history.of("create"):
        addresses = act.facts["addresses"]
        counts = Counter(Member.objects.filter(email__in=addresses).values_list("email", flat=True))
        for address in addresses:
            yield from _wrong(act, counts[address], address)
        if counts and len(counts) != len(addresses):
            yield f"an import was done in part: {len(counts)} of {len(addresses)}"
        letters = Letter.objects.filter(member__email__in=addresses, kind="invitation", invitation__version=1)
        if counts and letters.count() != len(addresses):
            yield f"{letters.count()} letters were written to {len(addresses)} new members"


def _moves(history: History) -> Iterator[str]:
    last: dict[object, list[Act]] = {}
    for act in history.of("move"):
        if act.told == "ok":
            last[act.facts["member"]] = [act]
        elif act.told == "unknown":
            last.setdefault(act.facts["member"], []).append(act)
    now = dict(Member.objects.filter(pk__in=list(last)).values_list("pk", "department"))
    for member, acts in last.items():
        promised = {act.facts["department"] for act in acts}
        if acts[0].told == "ok" and now[member] not in promised:
            yield f"member {member} is in {now[member]}, and was moved to {promised}"


def _blocks(history: History) -> Iterator[str]:
    for act in history.of("block"):
        state = Member.objects.get(pk=act.facts["member"]).state
        yield from _wrong(act, int(state == Member.State.BLOCKED), f"member {act.facts['member']}")


def _allocations(history: History) -> Iterator[str]:
    for act in history.of("allocate"):
        name = act.facts["name"]
        transfers = Transfer.objects.filter(operation=Transfer.Operation.ALLOCATION, key=act.facts["key"])
        to_them = transfers.filter(target__member__user__skype_name=name, amount=act.facts["amount"])
        yield from _wrong(act, to_them.count(), f"credit for {name}")


def _joined(history: History) -> Iterator[str]:
    for act in history.of("accept"):
        states = list(Member.objects.filter(email=act.facts["address"]).values_list("state", flat=True))
        yield from _wrong(act, states.count(Member.State.ACTIVE), act.facts["address"])


def _resets(history: History, since: datetime) -> Iterator[str]:
    asked: dict[object, Counter[str]] = {}
    for act in history.of("reset"):
        asked.setdefault(act.facts["email"], Counter())[act.told] += 1
    for email, told in asked.items():
        letters = Letter.objects.filter(kind="password_reset", email=email, created_at__gte=since).count()
        # Whoever asks more often in an hour is answered alike, and written to no more.
        if not min(told["ok"], RESET_LETTERS.most) <= letters <= told["ok"] + told["unknown"]:
            yield f"{email} asked for new passwords {dict(told)}, and {letters} letters were written"


def _letters(stack: Stack, since: datetime, mark: str, duplicates: int) -> Iterator[str]:
    arrived = stack.sink.counts()
    ours = Letter.objects.filter(created_at__gte=since)
    waiting = ours.filter(state=Letter.State.WAITING).values("last_error").annotate(count=Count("id"))
    for row in waiting:
        yield f"{row['count']} letters still wait ({row['last_error']})"
    sent = [str(key) for key in ours.filter(state=Letter.State.SENT).values_list("message_id", flat=True)]
    missing = [key for key in sent if not arrived[key]]
    if missing:
        yield f"{len(missing)} of {len(sent)} letters count as sent and never arrived"
    twice = sum(arrived[key] - 1 for key in sent if arrived[key] > 1)
    if twice > duplicates:
        yield f"{twice} letters arrived twice, where {duplicates} might"
    known = {str(key) for key in Letter.objects.values_list("message_id", flat=True)}
    strangers = [key for key in arrived if key not in known]
    if strangers:
        yield f"{len(strangers)} letters arrived that nobody wrote"
    failed = ours.filter(state=Letter.State.FAILED).count()
    if failed and not stack.sink_refused:
        yield f"{failed} letters were given up"
