"""The ledger in one SQLite file, for one machine."""

from functions.adapters.sqlite.ledger import SqliteLedger

__all__ = ["SqliteLedger"]
