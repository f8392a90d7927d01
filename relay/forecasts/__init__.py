"""What would become of a run on a route, decided and told without starting anything."""
