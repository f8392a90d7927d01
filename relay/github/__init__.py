"""What GitHub shows of a workflow, compared with what a route would send: nothing is started."""
