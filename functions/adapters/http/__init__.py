"""HTTP as every adapter speaks it: bounded, pooled, and silent about secrets."""
