"""The ledger in Azure Table storage."""

from functions.adapters.tables.rows import TableLedger, open_table

__all__ = ["TableLedger", "open_table"]
