"""``regulars worker``, and ``faust -A streams.worker worker``: Faust agents over the topics, each chunk folded once.

An agent is a few lines over :class:`Feeding`. Whatever it cannot take stops the worker without acknowledging it; a record
that no fold can ever take goes to the dead letters instead.
"""

from __future__ import annotations
