"""Logging to standard error: JSON lines for machines, text on a terminal, and no secrets in either.

A log line names an event by its position and type, never its content. If a library's message holds an e-mail address or a URL's
password, it is replaced.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.types import Processor

from infra.printable import printable, printable_json
from infra.telemetry.settings import TelemetrySettings

OURS = ("streams", "infra", "regulars")
"""Loggers that follow the level; libraries log from WARNING on, unless the level is DEBUG."""

PASSWORD = re.compile(r"(://[^\s/:@]*:)\S+@")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+\w")


def configure_logging(settings: TelemetrySettings, to: TextIO | None = None) -> None:
    """Set up the logging of this process. ``to``: standard error by default."""
    stream = to or sys.stderr
    plain = settings.log_format == "text" or (settings.log_format is None and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(plain, stream.isatty()))
    handler.setLevel(settings.log_level)
    logging.root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[settings.log_level]
    logging.root.setLevel(level if level < logging.INFO else max(level, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    threading.excepthook = log_thread_error
    throttle_client_logs()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def log_thread_error(ended: threading.ExceptHookArgs) -> None:
    """Log an exception that ended a library's thread; our own threads handle theirs."""
    fault = ended.exc_value or ended.exc_type()
    name = ended.thread.name if ended.thread else None
    structlog.get_logger(__name__).error("thread_ended", thread=name, fault=repr(fault), exc_info=fault)


def formatter(plain: bool, coloured: bool) -> logging.Formatter:
    shown: list[Processor]
    if plain:
        shown = [as_text, structlog.dev.ConsoleRenderer(colors=coloured, exception_formatter=structlog.dev.plain_traceback)]
    else:
        shown = [structlog.processors.JSONRenderer(default=str, ensure_ascii=False), as_json_text]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=COMMON, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, *shown]
    )


def as_text(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields with everything made visible that a terminal would obey; a traceback keeps its lines."""
    several = ("exception", "stack")
    return {
        name: "\n".join(map(printable, str(value).split("\n"))) if name in several else printable(value)
        for name, value in fields.items()
    }


def as_json_text(_logger: object, _method: str, line: Any) -> str:
    """Return a line of JSON with everything escaped that a terminal would obey."""
    return printable_json(str(line).encode(errors="backslashreplace")).decode()


def redact(_logger: object, _method: str, told: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace passwords and e-mail addresses, wherever they are.

    >>> redact(None, "info", {"event": "no answer from redis://me:secret@host/0", "of": ["ann@example.org"]})
    {'event': 'no answer from redis://me:***@host/0', 'of': ['***']}
    """
    return {name: redact_value(value) for name, value in told.items()}


def redact_value(value: Any) -> Any:
    match value:
        case str():
            return ADDRESS.sub("***", PASSWORD.sub(r"\1\0@", value)).replace("\0", "***")
        case dict():
            return {name: redact_value(inner) for name, inner in value.items()}
        case list() | tuple():
            return [redact_value(inner) for inner in value]
        case int() | float() | None:
            return value
        case _:
            return redact_value(str(value))


COMMON: list[Processor] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.format_exc_info,  # a plain traceback: no local variables
]


INTERVAL = 10.0  # seconds
CLIENTS = {"aiokafka": logging.WARNING, "kafka": logging.CRITICAL}  # kafka's failures are raised as well


class ThrottlingHandler(logging.Handler):
    """Pass a record to the root's handlers, unless the same line of code logged within the interval; count what was dropped."""

    def __init__(self, interval: float = INTERVAL) -> None:
        super().__init__(logging.WARNING)
        self._interval = interval
        self._passed: dict[tuple[str, int], tuple[float, int]] = {}  # when it last passed, and how many were dropped since

    def emit(self, record: logging.LogRecord) -> None:
        place = record.pathname, record.lineno
        last, dropped = self._passed.get(place, (-self._interval, 0))
        if record.created - last < self._interval:
            self._passed[place] = last, dropped + 1
            return
        self._passed[place] = record.created, 0
        if dropped:
            record.msg, record.args = f"{record.getMessage()} ({dropped} more like this)", None
        logging.getLogger().handle(record)


def throttle_client_logs() -> None:
    """Limit how often the Kafka clients log, in the whole process."""
    for name, level in CLIENTS.items():
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(level)
        logger.handlers[:] = [ThrottlingHandler()]
