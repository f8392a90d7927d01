"""`list`, `show` and `replay`: the continuations of a ledger."""
