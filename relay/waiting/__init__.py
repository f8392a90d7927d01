"""`wait`: from a job that is submitted to an exit code."""
