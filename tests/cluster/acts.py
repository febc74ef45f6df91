"""What can go wrong in mid-stream, each done to a cluster for real."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from streams.running.processes import ManagedProcess
from tests.cluster.harness import Cluster
from tests.journey.regulars import sigkill

Server: TypeAlias = EmbeddedKafka | EmbeddedPostgres | EmbeddedRedis

PAST_A_SESSION = 9.0  # seconds; a worker's session at Kafka is 6
FROZEN = 9.0  # seconds, longer than Redis clients wait for an answer
STORM = 4  # workers that come and go


def worker_killed(cluster: Cluster) -> None:
    sigkill(pid_of(cluster.workers.kept[0]))


def relay_killed(cluster: Cluster) -> None:
    """While it publishes all of the log again, to topics that were made anew."""
    cluster.unpublish()
    cluster.until(cluster.partly_relayed, "the relay publishes nothing")
    sigkill(pid_of(cluster.relays.kept[0]))


def broker_killed(cluster: Cluster) -> None:
    end(cluster.kafka)
    cluster.kafka.start()


def redis_killed(cluster: Cluster) -> None:
    """Its file is synchronised every second, so what it knew last may be gone."""
    end(cluster.redis)
    cluster.redis.start()


def postgres_killed(cluster: Cluster) -> None:
    end(cluster.postgres)
    cluster.postgres.start()


@contextmanager
def workers_stopped(cluster: Cluster) -> Iterator[None]:
    processes = [pid_of(kept) for kept in cluster.workers.kept]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def worker_paused(cluster: Cluster) -> None:
    """Past its session, so that others take over what it still believes to have: a zombie."""
    process = pid_of(cluster.workers.kept[0])
    os.kill(process, signal.SIGSTOP)
    time.sleep(PAST_A_SESSION)
    os.kill(process, signal.SIGCONT)


def workers_come_and_go(cluster: Cluster) -> None:
    for number in range(STORM):
        guest = cluster.workers.start(f"guest-{number}", "worker")
        time.sleep(3.0)
        if guest.process:
            guest.process.send_signal(signal.SIGTERM if number % 2 else signal.SIGKILL)
            guest.process.wait(60)
        guest.release()
        cluster.workers.kept.remove(guest)


def redis_frozen(cluster: Cluster) -> None:
    process = serving(cluster.redis)
    os.kill(process, signal.SIGSTOP)
    time.sleep(FROZEN)
    os.kill(process, signal.SIGCONT)


def redis_failed_over(cluster: Cluster, stopped: float = 0.0) -> None:
    """To a replica that heard nothing of the last while: it answers at the same address, with older checkpoints."""
    with workers_stopped(cluster):  # else they might be done before the replica is whole, and there is nothing to miss
        replica = cluster.follow_redis()
        replica.follow_until_whole()
        replica.stop_following()
        position = cluster.slowest()
        time.sleep(stopped)
    cluster.until(lambda: cluster.slowest() > position, "nothing happens that the replica could miss")
    end(cluster.redis)
    replica.answer_in_place()


def redis_failed_over_in_a_rebalance(cluster: Cluster) -> None:
    """While partitions change hands between workers that were all thought dead, so that some are folded by two."""
    redis_failed_over(cluster, stopped=PAST_A_SESSION)


def end(server: Server) -> None:
    """SIGKILL, and wait until nothing of it holds on to anything: the last threads of a JVM take their time."""
    os.kill(serving(server), signal.SIGKILL)
    while server.server_pid() is not None:
        time.sleep(0.01)


def serving(server: Server) -> int:
    process = server.server_pid()
    assert process, f"{server} does not run"
    return process


def pid_of(kept: ManagedProcess) -> int:
    assert kept.process, f"{kept.name} was never started"
    return kept.process.pid


ACTS: dict[str, Callable[[Cluster], None]] = {
    act.__name__: act
    for act in (
        worker_killed,
        relay_killed,
        broker_killed,
        redis_killed,
        redis_failed_over,
        redis_failed_over_in_a_rebalance,
        postgres_killed,
        worker_paused,
        workers_come_and_go,
        redis_frozen,
    )
}
QUICK = ("worker_killed", "relay_killed", "redis_failed_over", "broker_killed")
"""Those of every test run."""


def hurt(cluster: Cluster, act: str, workers: int = 2) -> None:
    """Fold the whole log from nothing, with this act in its midst."""
    cluster.empty()
    if act == relay_killed.__name__:
        relay_killed(cluster)
        cluster.start_workers(workers)
    else:
        cluster.start_workers(workers)
        cluster.until_mid_stream()
        ACTS[act](cluster)
    cluster.until_done()
