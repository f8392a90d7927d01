"""What the environment says: settings, schedules, clouds, and what is declared by them."""
