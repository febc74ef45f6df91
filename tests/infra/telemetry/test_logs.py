"""Logs are JSON lines for machines, whoever speaks; they tell where an event is and no secrets; an outage is no flood."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from infra.telemetry.logs import CLIENTS, INTERVAL, OURS, configure_logging
from infra.telemetry.settings import TelemetrySettings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the whole process's: leave it as it was."""
    names = [None, *OURS, *CLIENTS]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in map(logging.getLogger, names)]
    hook = threading.excepthook
    yield
    threading.excepthook = hook
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_where_an_event_is_stands_in_fields_of_its_own(out: io.StringIO) -> None:
    configure_logging(TelemetrySettings(), out)
    structlog.get_logger("streams.kafka.worker.agents").warning("reading_again", topic="t", partition=3, offset=17)
    (line,) = lines(out)
    assert {"topic": "t", "partition": 3, "offset": 17, "level": "warning", "event": "reading_again"}.items() <= line.items()
    assert line["time"].endswith("Z")


def test_libraries_speak_the_same_way_and_from_warnings_on(out: io.StringIO) -> None:
    configure_logging(TelemetrySettings(), out)
    logging.getLogger("faust.app").info("starting")
    logging.getLogger("mode.worker").warning("slow by %s", "1 s")
    logging.getLogger("regulars.relay").info("relaying")
    assert [line["event"] for line in lines(out)] == ["slow by 1 s", "relaying"]


def test_the_level_holds_for_us_and_for_the_hushed(out: io.StringIO) -> None:
    configure_logging(TelemetrySettings(log_level="CRITICAL"), out)
    structlog.get_logger("streams.x").error("quiet")
    logging.getLogger("aiokafka").error("quiet")
    structlog.get_logger("streams.x").critical("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]


def test_a_fault_brings_its_traceback_without_the_values_of_variables(out: io.StringIO) -> None:
    def fail() -> None:
        name = "Ann Example"
        raise ValueError(len(name))

    configure_logging(TelemetrySettings(), out)
    try:
        fail()
    except ValueError as fault:
        structlog.get_logger("streams.x").critical("worker_stops", exc_info=fault)
        logging.getLogger("mode").exception("crashed")
    ours, theirs = lines(out)
    assert "ValueError: 11" in ours["exception"]
    assert "ValueError: 11" in theirs["exception"]
    assert "Ann Example" not in out.getvalue().replace('name = "Ann Example"', "")


def test_a_thread_that_an_exception_ends_is_told_of_like_all_else(out: io.StringIO) -> None:
    def fail() -> None:
        raise RuntimeError("out of luck")

    configure_logging(TelemetrySettings(), out)
    thread = threading.Thread(target=fail, name="theirs")
    thread.start()
    thread.join()
    (line,) = lines(out)
    assert (line["event"], line["thread"], line["level"]) == ("thread_ended", "theirs", "error")
    assert "RuntimeError: out of luck" in line["exception"]


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_passwords_and_addresses_are_struck_out_wherever_they_stand(out: io.StringIO, log_format: str) -> None:
    configure_logging(TelemetrySettings(log_format=log_format), out)
    logging.getLogger("mode").error("no answer from %s", "redis://shop:hunter2@redis.example:6379/0")
    structlog.get_logger("streams.x").error(
        "odd", of={"who": ["ann.smith@example.org"]}, fault=ValueError("by bob@example.org")
    )
    try:
        raise ValueError("of carol@example.org at postgres://me:pa:ss/w@db")
    except ValueError:
        logging.getLogger("mode").exception("crashed")
    for secret in ("hunter2", "ann", "bob@", "carol@", "pa:ss"):
        assert secret not in out.getvalue()
    assert "redis://shop:***@redis.example:6379/0" in out.getvalue()


def test_plain_text_is_one_line_a_telling(out: io.StringIO) -> None:
    configure_logging(TelemetrySettings(log_format="text"), out)
    structlog.get_logger("streams.x").warning("reading_again", topic="t", partition=3)
    (line,) = out.getvalue().splitlines()
    assert "reading_again" in line
    assert "topic=t" in line


def test_an_outage_says_each_thing_once_in_a_while_with_how_often_it_was_left_out(out: io.StringIO) -> None:
    configure_logging(TelemetrySettings(), out)
    logger = logging.getLogger("aiokafka.consumer.fetcher")

    def fail(at: float, place: int) -> None:
        record = logger.makeRecord(logger.name, logging.ERROR, "fetcher.py", place, "No connection to node %s", (1,), None)
        record.created = at
        logger.handle(record)

    for number in range(1800):
        fail(1000 + number / 1000, place=7)
    fail(1001.5, place=8)
    fail(1000 + INTERVAL, place=7)
    told = [line["event"] for line in lines(out)]
    assert told == ["No connection to node 1"] * 2 + ["No connection to node 1 (1799 more like this)"]
