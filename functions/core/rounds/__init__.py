"""What happens again and again: the reconciler, the sweep, the inbox, the end of secrets."""
