"""Key Vault: secrets and their versions over TLS."""
