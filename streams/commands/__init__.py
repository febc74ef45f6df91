"""The write side: requests handled, decided and appended."""
