"""An order: placed, paid, shipped, delivered; or cancelled before it ships; or refunded, line by line, after payment."""
