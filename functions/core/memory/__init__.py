"""What all processes remember of routes, workspaces and route files."""
