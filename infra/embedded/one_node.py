"""How a Kafka of one node, for one home, is set up: small, durable, and quick to start."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode

LARGEST_RECORD = 16 * 2**20  # bytes
MEMORY = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
QUICK = "-XX:TieredStopAtLevel=1"  # a start takes two thirds of the processor time
LOGGING = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")

ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "message.max.bytes": str(LARGEST_RECORD),
    "replica.fetch.max.bytes": str(LARGEST_RECORD),
    "log.retention.ms": "-1",
    "log.cleaner.dedupe.buffer.size": str(4 * 2**20),
    "num.network.threads": "2",
    "num.io.threads": "2",
    "broker.session.timeout.ms": "3000",  # a killed broker waits for its own ghost to go
    "broker.heartbeat.interval.ms": "500",
}


def cluster_id() -> str:
    """A new one: 16 random bytes, as Kafka writes them.

    >>> len(cluster_id())
    22
    """
    return urlsafe_b64encode(b"\0" + os.urandom(15)).decode().rstrip("=")  # begins with A: a hyphen would look like an option
