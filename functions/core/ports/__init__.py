"""What the core needs of the outside, as protocols; the adapters implement them."""
