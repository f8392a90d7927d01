"""`what-if`: what the runs of the last days would have come to with another route file."""
