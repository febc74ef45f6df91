"""A membership: the ledger of points, what earns them, and the tier; three topics over one stream.

``commands`` holds all commands, ``events`` all events, ``state`` the state and its fold. ``decider`` decides; ``orders`` and
``actions`` decide what follows from orders and actions. Each topic has a folder: ``ledger``, ``earning``, ``tiers``.
"""
