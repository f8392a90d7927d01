"""The words of the trade, as values that everything else speaks of."""
