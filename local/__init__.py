"""A local Azure: the services Run Relay talks to, on loopback, as strict as the real ones."""
