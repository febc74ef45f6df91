"""What a member earns by orders and actions. Each grant freezes the formula it was calculated by."""
