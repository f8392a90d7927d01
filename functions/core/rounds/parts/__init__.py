"""A round in parts: what the timer hands on, and who works it off."""
