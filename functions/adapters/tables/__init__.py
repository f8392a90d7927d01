"""The ledger in Azure Table storage."""
