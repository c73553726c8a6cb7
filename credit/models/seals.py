from members.models.seals import Seal


class LedgerSeal(Seal):
    """A seal of the ledger: its rows are transfers."""
