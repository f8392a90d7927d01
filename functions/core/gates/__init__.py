"""`when`: an expression, compiled once, checked before the training, asked after it."""
