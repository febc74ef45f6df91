"""One way to log, whoever speaks: JSON lines for machines, plain ones on a terminal, on standard error; and no secrets.

What a log line tells of an event is where it is and which it is, never what it says. Should a library's message hold an e-mail
address or the password of an URL all the same, it is struck out.
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

from infra.kafka.log_throttle import hush_clients
from infra.printable import printable, printable_json
from infra.telemetry.settings import Observation

OURS = ("streams", "infra", "regulars")
"""Loggers that heed the level; libraries speak from WARNING on, unless it is DEBUG."""

PASSWORD = re.compile(r"(://[^\s/:@]*:)\S+@")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+\w")


def log_by(settings: Observation, to: TextIO | None = None) -> None:
    """Have this whole process log so, from now on; ``to`` standard error unless another is named."""
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
    threading.excepthook = tell_of_thread
    hush_clients()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    """A thread that an exception ended: a library's, since ours answer for themselves."""
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
        foreign_pre_chain=COMMON, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, struck_out, *shown]
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


def struck_out(_logger: object, _method: str, told: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Without passwords and e-mail addresses, wherever they stand.

    >>> struck_out(None, "info", {"event": "no answer from redis://me:secret@host/0", "of": ["ann@example.org"]})
    {'event': 'no answer from redis://me:***@host/0', 'of': ['***']}
    """
    return {name: without_secrets(value) for name, value in told.items()}


def without_secrets(value: Any) -> Any:
    match value:
        case str():
            return ADDRESS.sub("***", PASSWORD.sub(r"\1\0@", value)).replace("\0", "***")
        case dict():
            return {name: without_secrets(inner) for name, inner in value.items()}
        case list() | tuple():
            return [without_secrets(inner) for inner in value]
        case int() | float() | None:
            return value
        case _:
            return without_secrets(str(value))


COMMON: list[Processor] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.format_exc_info,  # a plain traceback: no local variables
]
