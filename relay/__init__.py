"""The operator's command line: `bin/relay COMMAND`."""
