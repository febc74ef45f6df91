"""The ledger of points: lots by earliest expiry, holds, redemptions, what is owed, and what time does to them.

``grants``, ``uses`` and ``moves`` are its events, ``ledger`` its state and its fold, ``balances`` how it stands at an instant,
``due`` what time has brought; a rule of deciding has a file of its own.
"""
