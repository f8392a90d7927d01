"""Agentless jobs: what they send, and what answers them."""
