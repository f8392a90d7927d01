"""Takes the runs of a `join` into their joint continuation, and says when that goes on."""
