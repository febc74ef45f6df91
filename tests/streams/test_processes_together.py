"""Processes that write at the same time: a limit is reached and never exceeded, whatever database the log is in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aggregates.campaign import LaunchCampaign
from aggregates.coupon import SendCoupon
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import running
from tests.databases import in_both_databases
from tests.shop import START

pytestmark = in_both_databases

ROOT = Path(__file__).parents[2]
PROCESSES, EACH, LIMIT = 4, 30, 37

REDEEMING = """
import sys
from pathlib import Path
from aggregates.coupon import RedeemCoupon
from infra.settings import Settings
from streams.running.app import running
from streams.commands.request import Request

home, redis, database, first, last = sys.argv[1:]
with running(Settings(Path(home), redis, database_url=database or None)) as app:
    print("ready", flush=True)
    sys.stdin.readline()
    got = 0
    for n in range(int(first), int(last)):
        request = Request(f"use {n}", (RedeemCoupon("c", f"m-{n}", "k", "u", 1_700_000_000_000),))
        got += app.handler.handle(request).accepted
    print(got, flush=True)
"""


def test_of_many_processes_that_redeem_one_limited_coupon_none_is_one_too_many(settings: Settings) -> None:
    with running(settings) as app:
        sent = [SendCoupon("c", f"m-{n}", START) for n in range(PROCESSES * EACH)]
        assert app.handler.handle(Request("launch", (LaunchCampaign("c", START, limit=LIMIT), *sent))).accepted
        racing = [at_work(REDEEMING, settings, n * EACH, (n + 1) * EACH) for n in range(PROCESSES)]
        assert sum(together(racing)) == LIMIT
        assert app.log.head() == 1 + PROCESSES * EACH + LIMIT


SEALING = """
import sys
from pathlib import Path
from aggregates.member import EraseMember, RegisterMember
from infra.settings import Settings
from streams.running.app import running
from streams.commands.request import Request

home, redis, database, first, last = sys.argv[1:]
with running(Settings(Path(home), redis, database_url=database or None)) as app:
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(int(first), int(last)):
        mine, shared = f"m-{n}", f"shared-{n % 5}"
        asked = RegisterMember(mine, 1, "Ada"), RegisterMember(shared, 1, "Bob"), EraseMember(shared, 1), EraseMember(mine, 1)
        for number, command in enumerate(asked):
            app.handler.handle(Request(f"{n} {number}", (command,)))
            app.log.read("member-" + shared)
    print(last, flush=True)
"""


def test_processes_that_make_and_destroy_the_same_keys_never_wait_for_each_other_in_a_ring(settings: Settings) -> None:
    with running(settings) as app:
        racing = [at_work(SEALING, settings, n * 4, (n + 1) * 4) for n in range(PROCESSES)]
        assert together(racing) == [(n + 1) * 4 for n in range(PROCESSES)]
        assert app.log.incomplete_erasures().keys() == app.log.erased().keys()
        assert len(app.log.erased()) == PROCESSES * 4 + 5
        for member in app.log.erased():
            assert app.keys.open(member, "", "") is None, "its key is destroyed"


def at_work(program: str, settings: Settings, first: int, last: int) -> subprocess.Popen[str]:
    told = [str(settings.home), settings.redis_url or "", settings.database_url or "", str(first), str(last)]
    command = [sys.executable, "-c", program, *told]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def together(racing: list[subprocess.Popen[str]]) -> list[int]:
    """What each tells at its end; they begin when all are ready."""
    for process in racing:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in racing:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [int(process.communicate()[0]) for process in racing]
