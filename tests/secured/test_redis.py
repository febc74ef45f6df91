"""A Redis that demands TLS, a certificate and a user: each user of the operator's page can do its work and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from click.testing import CliRunner
from redis.exceptions import NoPermissionError

from aggregates.member import EraseMember
from infra.embedded.valkey import connect
from infra.errors import Misconfigured, Unreachable
from infra.redis.address import redis_address
from infra.settings import from_environment
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.running.app import connected, running
from tests.secured.authority import Authority
from tests.secured.conftest import Guarded, users
from tests.shop import START, requests

SHOPPINGS = 30
NOT_BY_THE_CONSOLE = {"hmget": "v1:product:p-1 name", "zrevrange": "v1:trending:2017-01 0 9", "wait": "0 1"}
"""What the API and a rebuild beside a replica send, with arguments; the commands below bring about all the others."""


def set_all(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], home: Path) -> None:
    for name, value in {**variables, "REGULARS_HOME": str(home)}.items():
        monkeypatch.setenv(name, value)


def connected_as(guarded: Guarded, user: str) -> redis.Redis:
    url = redis_address(guarded.redis(user))
    assert url
    return connect(url)


def granted(user: str) -> set[str]:
    """The commands that the page gives a user; who is no client of a later Redis does not tell what it is."""
    line = next(line for line in users() if line.startswith(f"user {user} "))
    return {rule[1:] for rule in line.split() if rule.startswith("+")} - {"client|setinfo"}


def called(admin: redis.Redis) -> set[str]:
    return {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}


def test_each_user_can_do_its_work_and_nothing_else(
    guarded_redis: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_all(monkeypatch, guarded_redis.redis("regulars"), tmp_path / "home")
    with running(from_environment()) as app:
        for request in requests(SHOPPINGS):
            app.handler.handle(request)
        app.handler.handle(Request("farewell", (EraseMember("m-5", START),)))
        app.follower().catch_up()
    for words in (
        "digest",
        "doctor",
        "show member m-3",
        "quality",
        "redis GET v1:card:m-3",
        "follow --once",
        "replay --all",
        "replay --drop --now",
    ):
        result = CliRunner().invoke(regulars, words.split(), catch_exceptions=False)
        assert result.exit_code == 0, (words, result.output)
        assert "regulars:regulars@" not in result.output
    with connected_as(guarded_redis, "admin") as admin:
        assert admin.acl_log() == []
        assert granted("regulars") - NOT_BY_THE_CONSOLE.keys() <= called(admin)
        admin.config_resetstat()
        trending = list(admin.scan_iter(match="v*:trending:*"))

    with connected_as(guarded_redis, "storefront") as storefront:
        version = (storefront.get("regulars:version") or b"").decode()
        assert storefront.get(f"{version}:card:m-3")
        assert storefront.mget([f"{version}:order:o-1", f"{version}:popular"])
        assert storefront.hgetall(f"{version}:product:p-3")
        assert storefront.get(f"{version}:checkpoint:card.1:log:0")
        assert storefront.hget(f"{version}:product:p-3", "name") == storefront.hmget(f"{version}:product:p-3", "name")[0]
        period = next(iter(trending)).decode()
        assert storefront.zrevrange(period, 0, 9) == storefront.zrange(period, 0, 9, desc=True)
        assert storefront.zscore(period, storefront.zrange(period, 0, 0)[0])
        with storefront.pubsub() as told:
            told.subscribe("regulars:switched")
            assert told.get_message(timeout=5)
            told.unsubscribe()
        for words in ("SET v1:card:m-3 x", "DEL v2:card:m-3", "GET other", "KEYS *", "FLUSHDB", "CONFIG GET dir", "EVAL x 0"):
            with pytest.raises(NoPermissionError):
                storefront.execute_command(*words.split())
    with connected_as(guarded_redis, "admin") as admin:
        assert granted("storefront") <= called(admin)
    with connected_as(guarded_redis, "regulars") as worker:
        for name, words in NOT_BY_THE_CONSOLE.items():
            worker.execute_command(name, *words.split())
        for words in ("SET other x", "FLUSHALL", "CONFIG GET dir", "KEYS *", "ACL LIST", "EVAL x 0", "SHUTDOWN"):
            with pytest.raises(NoPermissionError):
                worker.execute_command(*words.split())


def test_the_packaged_server_understands_the_same_users(client: redis.Redis) -> None:
    for _, name, *rules in (line.split() for line in users()):
        if name == "default":
            continue
        client.execute_command("ACL", "SETUSER", name, *rules)  # type: ignore[no-untyped-call]
        assert client.execute_command("ACL", "DRYRUN", name, "GET", "v1:popular") == b"OK"  # type: ignore[no-untyped-call]
        client.execute_command("ACL", "DELUSER", name)  # type: ignore[no-untyped-call]


def test_a_user_who_may_not_write_is_told_in_a_sentence(
    guarded_redis: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_all(monkeypatch, guarded_redis.redis("storefront"), tmp_path / "home")
    with pytest.raises(Misconfigured, match=r"storefront@localhost.* refuses .*'evalsha'"), running(from_environment()):
        pass
    with connected(from_environment()) as views:
        assert views.client.get("regulars:version") is None


def test_who_proves_nothing_is_refused(guarded_redis: Guarded, tmp_path: Path) -> None:
    told = guarded_redis.redis("regulars")
    other = Authority(tmp_path / "other", "Another").sign("regulars")
    strange = {"REDIS_CERT_FILE": str(other.certificate), "REDIS_KEY_FILE": str(other.key)}
    wrong = {"REDIS_URL": f"rediss://regulars:wrong@localhost:{guarded_redis.port}/0"}
    nobody = {name: value for name, value in told.items() if name not in ("REDIS_CERT_FILE", "REDIS_KEY_FILE")}
    plain = {"REDIS_URL": told["REDIS_URL"].replace("rediss", "redis")}
    for variables, why in (
        (told | strange, "answer"),
        (nobody, "answer"),
        (told | wrong, "invalid username-password"),
        (plain, "answer"),
    ):
        url = redis_address(variables)
        assert url
        with pytest.raises(Unreachable, match=why) as refused:
            connect(url)
        assert "wrong" not in str(refused.value)


def test_a_server_that_proves_nothing_is_not_spoken_to(guarded_redis: Guarded, tmp_path: Path) -> None:
    told = guarded_redis.redis("regulars")
    other = Authority(tmp_path / "other", "Another")
    elsewhere = {"REDIS_URL": told["REDIS_URL"].replace("localhost", "127.0.0.2")}
    trusted = {name: value for name, value in told.items() if name != "REDIS_CA_FILE"}
    for variables in (told | {"REDIS_CA_FILE": str(other.file)}, trusted, told | elsewhere):
        url = redis_address(variables)
        assert url
        with pytest.raises(Unreachable, match=r"certificate verify failed|refused"):
            connect(url)
