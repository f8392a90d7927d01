"""One module per remote service, each behind one port of the core."""
