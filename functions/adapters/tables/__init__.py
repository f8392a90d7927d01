"""The ledger in Azure Table storage."""

from functions.adapters.tables.client import open_table
from functions.adapters.tables.ledger import TableLedger

__all__ = ["TableLedger", "open_table"]
