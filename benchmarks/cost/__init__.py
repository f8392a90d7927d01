"""What it costs in a month."""
