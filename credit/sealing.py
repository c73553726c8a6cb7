"""The ledger as a log that is sealed."""

from credit.models import LedgerSeal, Transfer
from members.sealing import Chain

LEDGER = Chain("ledger", LedgerSeal, Transfer._meta.db_table, "credit_seal")
