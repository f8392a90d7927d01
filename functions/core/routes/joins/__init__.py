"""`join`: what a route starts once for several runs, and what their ends come to."""
