"""The function app: triggers, wiring, adapters, core; values only travel down."""
