"""A local Event Grid: topics that deliver at least once, retry, and give up."""
