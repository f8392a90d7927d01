"""What the ledger keeps, as values: continuations and waiting tasks."""
