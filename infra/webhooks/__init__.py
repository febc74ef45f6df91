"""Deliver webhooks: the store of endpoints, the signature, and the client that posts."""
