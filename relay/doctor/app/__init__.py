"""What the doctor asks of the app."""
