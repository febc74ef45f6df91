"""``faust -A streams.worker worker``: what ``regulars worker`` runs, for who prefers Faust's own command and its options."""

from __future__ import annotations

import atexit
from contextlib import ExitStack

from infra.settings import from_environment
from streams.bootstrap import running
from streams.topics import broker
from streams.workers.working import agents

stack = ExitStack()
atexit.register(stack.close)
settings = from_environment()
app = agents(stack.enter_context(running(settings)), broker(settings)).app
