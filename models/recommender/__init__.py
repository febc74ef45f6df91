"""What is learned, and the lists made from it."""
