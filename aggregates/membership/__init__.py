"""A membership: the ledger of points, what earns them, and the standing, three parts over one stream.

``points``, ``earning`` and ``standing`` have the events, the state and the fold of a part each, ``facts`` joins them; ``lots``
and ``purchases`` are what they stand on; ``ledger`` has the rules of points, ``tiers`` those of tiers, ``due`` what time
brings, ``decider`` decides.
"""
