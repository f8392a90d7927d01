"""What few apps or only rounds need of the ledger: lists beside the continuations."""
