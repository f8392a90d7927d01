"""What routes wait for that no event tells: runs that should have come, and promotions."""
