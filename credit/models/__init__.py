from .ledger import LedgerAccount, Transfer

__all__ = ["LedgerAccount", "Transfer"]
