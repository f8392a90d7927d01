"""The port `Ledger` over any store that can write one row at a time."""
