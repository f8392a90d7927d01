"""`doctor`: whether a deployment works, asked from an operator's machine, check by check."""
