"""What a cart costs: the price pipeline, the best set of promotions, and what a refund gives back."""
