"""What all local services share."""
