"""What was started is looked after until its pipeline run ends."""
