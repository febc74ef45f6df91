"""Every command, with everything that may fail around it: a sentence, a documented exit status, and nothing destroyed.

The commands are those of ``docs/console.md``, each with its example, so that a new command is in the table by itself. A few
cells run by default. All of them: ``pytest -n 6 -m slow tests/streams/cli/test_faults.py``. Most of them wait for a server that
is not there, so six processes are right for two cores; each takes a fault with every command.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
import redis

from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.docs.console import EXAMPLES
from streams.running.app import running
from tests.shop import requests

DOCUMENTED = {
    int(status)
    for status in re.findall(r"^\| (\d+) \|", (Path(__file__).parents[3] / "docs/operating.md").read_text(), re.MULTILINE)
}
REGULARS = [
    sys.executable,
    "-c",
    "import sys; from streams.cli.main import main; print('ready', file=sys.stderr, flush=True); main()",
]
NO_SERVER = "127.0.0.1:1"
PATIENCE = 12.0  # seconds after which a command that keeps running is interrupted
BRIEFLY = 4.0  # the same, where it is known to keep running: it serves, or tries PostgreSQL again for a quarter of a minute
SERVING = {"relay", "serve", "up", "webhook send", "worker"}
MAY_GO = {"events.db-wal", "events.db-shm", "keys.db-journal"}
"""Files of SQLite that are there only while a log is open."""
FAULTS = (
    "full disk",
    "read-only home",
    "closed output",
    "full output",
    "damaged page",
    "no Redis",
    "no database",
    "Redis that lost keys",
    "interrupted",
)
CELLS = [(name, fault) for name in EXAMPLES for fault in FAULTS]
SAMPLED = set(CELLS[::47])


@dataclass(frozen=True)
class Ended:
    status: int
    err: str


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with a small shop's history and its read models, in an embedded Redis that has stopped."""
    home = tmp_path_factory.mktemp("template") / "home"
    home.mkdir()
    with running(Settings(home)) as app:
        app.handler.handle_all(list(requests(20)))
        app.follower().catch_up()
    EmbeddedRedis(home / "valkey").stop()
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of the template whose Redis runs."""
    home = tmp_path / "home"
    shutil.copytree(template, home)
    server = EmbeddedRedis(home / "valkey")
    server.start()
    yield home
    home.chmod(0o700)
    server.stop()


def words_of(name: str, folder: Path) -> list[str]:
    """Return the example of a command, with files and servers that exist here."""
    (folder / "shop.jsonl").write_text('{"type": "view", "at": 1700000000000, "session_id": "s", "product_id": "p"}\n')
    (folder / "policy.yaml").write_text("return_days: 7\n")
    example = EXAMPLES[name].replace("$REGULARS_HOME", str(folder / "home")).replace("$DATABASE_URL", str(folder / "target"))
    return shlex.split(example.replace("1057", "m-2").replace("#63354", "#9"))[1:]


def run(name: str, fault: str, home: Path) -> Ended:
    """Run a command in a process of its own, with a fault around it."""
    folder = home.parent
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("REGULARS", "REDIS", "DATABASE", "KEYS"))
    }
    environment |= {"REGULARS_HOME": str(home), "KAFKA_BOOTSTRAP": NO_SERVER, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [*REGULARS, *words_of(name, folder)]
    match fault:
        case "full disk":
            largest = max(path.stat().st_size for path in home.rglob("*") if path.is_file())
            command = ["prlimit", f"--fsize={largest}", *command]
        case "read-only home":
            home.chmod(0o500)
            command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command] if os.geteuid() == 0 else command
        case "closed output":
            command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
        case "full output":
            command = ["sh", "-c", 'exec "$@" >/dev/full', "sh", *command]
        case "damaged page":
            with (home / "events.db").open("r+b") as log:
                for page in range(2, 12):
                    log.seek(page * 4096)
                    log.write(b"\xff" * 4096)
        case "no Redis":
            environment["REDIS_URL"] = f"redis://{NO_SERVER}"
        case "no database":
            environment["DATABASE_URL"] = f"postgresql://{NO_SERVER}/shop?connect_timeout=1"
        case "Redis that lost keys":
            with redis.Redis.from_url(EmbeddedRedis(home / "valkey").url) as client:
                client.delete("v1:card:m-2", "v1:checkpoint:card.1:log:0", "v1:items", "v1:checkpoint:orders.1:log:0")
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    patience = BRIEFLY if name in SERVING or fault == "no database" else PATIENCE
    return ended(process, patience, at_once=fault == "interrupted")


def ended(process: subprocess.Popen[str], patience: float, at_once: bool) -> Ended:
    """Wait for a process, and interrupt it: at once after it has begun, or when it keeps running."""
    assert process.stderr
    assert process.stderr.readline() == "ready\n"
    try:
        if at_once:
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()
            _, err = process.communicate()
            pytest.fail(f"It does not end: {err}")
    return Ended(process.returncode, err)


def facts(home: Path) -> str:
    """Return a hash of the log's first events, those of the template."""
    with sqlite3.connect(f"file:{home}/events.db?mode=ro", uri=True) as log:
        rows = log.execute("SELECT * FROM stored_events ORDER BY rowid LIMIT 200").fetchall()
    return sha256(repr(rows).encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "fault"), [pytest.param(*cell, marks=() if cell in SAMPLED else pytest.mark.slow) for cell in CELLS]
)
def test_a_fault_ends_a_command_with_a_sentence_and_a_documented_status(
    name: str, fault: str, home: Path, template: Path
) -> None:
    said = run(name, fault, home)
    assert said.status in DOCUMENTED, said.err
    assert not re.search(r"^Traceback|^Exception ignored", said.err, re.MULTILINE), said.err
    if said.status:
        assert re.search(r"\w.*\.", said.err), "a sentence"
    home.chmod(0o700)
    if fault != "damaged page":
        assert facts(home) == facts(template), "the log has lost events"
    assert {path.name for path in template.iterdir()} - {path.name for path in home.iterdir()} <= MAY_GO


def test_every_fault_is_in_the_default_sample() -> None:
    assert {fault for _, fault in SAMPLED} == set(FAULTS)
