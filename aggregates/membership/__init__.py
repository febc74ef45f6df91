"""A membership: the ledger of points, what earns them, and the standing, three parts over one stream.

``points``, ``earning`` and ``standing`` have the events, the state and the fold of a part each, ``facts`` joins them; ``tiers``
has the rules of tiers, ``due`` what time brings. ``commands`` is what may be asked: ``purchasing`` decides what follows from
orders, ``asked`` what people want, ``decider`` all of it.
"""
