"""The ledger of points: lots, use by earliest expiry, holds, redemptions, debts, and what time does to them."""
