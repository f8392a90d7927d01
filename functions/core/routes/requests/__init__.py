"""What a start asks its service for, and which of them could be mistaken for another."""
