"""A member's standing: the ledger of points and the tier, two files of rules over one stream.

``facts`` has the events and the state, ``lots`` the points by purchase, ``ledger`` the rules of points, ``tiers`` those of
tiers, ``decider`` the commands.
"""
