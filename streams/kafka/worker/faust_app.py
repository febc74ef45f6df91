"""Define the Faust app for Faust's own command: ``faust -A streams.kafka.worker.faust_app worker``."""

from __future__ import annotations

import atexit
from contextlib import ExitStack

from infra.settings import from_environment
from streams.kafka.topics import broker_settings
from streams.kafka.worker.wiring import build_worker
from streams.running.app import running

stack = ExitStack()
atexit.register(stack.close)
settings = from_environment()
app = build_worker(stack.enter_context(running(settings)), broker_settings(settings)).app
