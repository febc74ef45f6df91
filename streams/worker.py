"""``regulars worker``, and ``faust -A streams.worker worker``: Faust agents over the topics, each chunk folded once.

An agent is a few lines over :class:`Feeding`. Whatever it cannot take stops the worker without acknowledging it; a record
that no fold can ever take goes to the dead letters instead.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from typing import Any

import faust
import structlog
from faust.types import TP

from infra.faults import Fault, Misconfigured
from infra.kafka.chunks import ChunkConsumer, ChunkSchema, deliver_in_chunks
from infra.settings import from_environment
from streams.bootstrap import App, running
from streams.feeding import WATCH, Feeding, veto
from streams.feeds import fed
from streams.folding import Folding
from streams.partition import Behind, Partition, Record
from streams.registry import DOMAIN, folds, sources
