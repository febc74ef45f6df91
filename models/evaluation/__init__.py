"""How good recommendations are: the same cases, measures and baselines for every shop."""
