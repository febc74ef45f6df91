"""Tiers: how they are reached, kept, overridden and shown."""
