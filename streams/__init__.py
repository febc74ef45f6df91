"""The shell that wires: which command goes to which decider, which event to which fold, and who feeds them."""
