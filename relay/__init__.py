"""The operator's command line: `python -m relay COMMAND`."""
