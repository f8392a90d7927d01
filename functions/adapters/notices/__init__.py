"""Messages to people: in words, in the form of each kind of channel, and sent."""
