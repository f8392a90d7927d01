"""Which run is followed by which pipeline."""
