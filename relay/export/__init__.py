"""`export`: every decision that the ledger knows, a line each, for an audit."""
