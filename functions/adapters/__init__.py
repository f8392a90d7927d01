"""Whatever speaks to the outside, a module or a package each, behind a port of the core."""
