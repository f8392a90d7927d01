"""What becomes of it as the ledger grows."""
