"""Processes that write at the same time: a limit is reached and never exceeded, whatever database the log is in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aggregates.campaign import LaunchCampaign
from aggregates.coupon import SendCoupon
from infra.settings import Settings
from streams.bootstrap import running
from streams.request import Request
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
from streams.bootstrap import running
from streams.request import Request

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
        racing = [redeeming(settings, n * EACH, (n + 1) * EACH) for n in range(PROCESSES)]
        for process in racing:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in racing:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        assert sum(int(process.communicate()[0]) for process in racing) == LIMIT
        assert app.log.head() == 1 + PROCESSES * EACH + LIMIT


def redeeming(settings: Settings, first: int, last: int) -> subprocess.Popen[str]:
    told = [str(settings.home), settings.redis_url or "", settings.database_url or "", str(first), str(last)]
    command = [sys.executable, "-c", REDEEMING, *told]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
