"""What a fresh process costs."""
