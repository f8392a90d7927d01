"""`preview`: the requests that the routes make of a run, and whether they would be taken."""
