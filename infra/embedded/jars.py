"""Apache Kafka's jars: each pinned by its SHA-256 in ``kafka.jars``, fetched once, and kept in a cache that homes share.

Maven's own way is a checksum beside each jar, which says only that it arrived whole; and jgo merely warns where it differs.
So what is not the file that this program was tried with is neither kept nor run.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infra.errors import Missing, Unreachable, Unreadable

LIST = Path(__file__).with_name("kafka.jars")
AT_ONCE = 8  # downloads
PATIENCE = 30  # seconds without an answer


class Jar(NamedTuple):
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def parse(lines: Iterable[str]) -> list[Jar]:
    """
    >>> parse(["org.slf4j:slf4j-api:1.7.36 d3ef57"])
    [Jar(group='org.slf4j', artifact='slf4j-api', version='1.7.36', sha256='d3ef57')]
    """
    return [Jar(*line.replace(":", " ").split()) for line in lines]


def jars(cache: Path) -> list[Path]:
    """Every jar of the class path, verified; those that are not in ``cache`` yet are fetched into it.

    Raises :class:`Missing` if jgo is not installed, :class:`Unreachable` if a jar cannot be fetched, :class:`Unreadable`
    if one is not what it should be.
    """
    listed = parse(LIST.read_text().splitlines())
    absent = [jar for jar in listed if not (cache / jar.file).exists()]
    if absent:
        fetch(absent, cache)
    for jar in listed:
        verify(jar, cache / jar.file)
    return [cache / jar.file for jar in listed]


def fetch(absent: Iterable[Jar], cache: Path) -> None:
    """Bring jars into the cache. A jar appears there whole and verified or not at all, also if two programs fetch at once."""
    try:
        from jgo.maven import MavenContext
        from requests import RequestException
    except ImportError:
        raise Missing("No KAFKA_BOOTSTRAP is set and no Kafka is installed: pip install 'regulars[cluster]'.") from None
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="fetching-") as nearby, ThreadPoolExecutor(AT_ONCE) as threads:
        maven = MavenContext(repo_cache=Path(nearby), timeout=PATIENCE)

        def bring(jar: Jar) -> None:
            fetched = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            verify(jar, fetched)
            fetched.replace(cache / jar.file)

        try:
            list(threads.map(bring, absent))
        except (RequestException, RuntimeError, OSError) as fault:
            raise Unreachable(
                f"Kafka's jars cannot be fetched into {cache} ({type(fault).__name__}): connect this machine to the network "
                "once, name a directory that has them in REGULARS_JARS, or name a broker in KAFKA_BOOTSTRAP."
            ) from fault


def verify(jar: Jar, path: Path) -> None:
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise Unreadable(f"{path} is not the {jar.file} that it should be (SHA-256 {found}): remove it, and start again.")
