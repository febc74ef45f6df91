"""Apache Kafka's jars, each pinned by its SHA-256 in ``kafka.jars``, downloaded once into a cache that homes share.

Maven's checksum beside each jar proves only a complete download, and jgo merely warns if it differs. So a jar that is not the
tested one is neither kept nor run.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infra.errors import NotInstalled, Unreachable, Unreadable

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
    """Parse lines of ``kafka.jars``.

    >>> parse(["org.slf4j:slf4j-api:1.7.36 d3ef57"])
    [Jar(group='org.slf4j', artifact='slf4j-api', version='1.7.36', sha256='d3ef57')]
    """
    return [Jar(*line.replace(":", " ").split()) for line in lines]


def jars(cache: Path) -> list[Path]:
    """Return every jar of the class path, verified. Missing ones are downloaded into ``cache``.

    Raises :class:`NotInstalled` without jgo, :class:`Unreachable` if a jar cannot be downloaded, :class:`Unreadable` if one has
    another SHA-256.
    """
    listed = parse(LIST.read_text().splitlines())
    absent = [jar for jar in listed if not (cache / jar.file).exists()]
    if absent:
        fetch(absent, cache)
    for jar in listed:
        verify(jar, cache / jar.file)
    return [cache / jar.file for jar in listed]


def fetch(absent: Iterable[Jar], cache: Path) -> None:
    """Download jars into the cache. A jar appears there complete and verified, even if two programs download at once."""
    try:
        from jgo.maven import MavenContext
        from requests import RequestException
    except ImportError:
        raise NotInstalled("No KAFKA_BOOTSTRAP is set and no Kafka is installed: pip install 'regulars[cluster]'.") from None
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="fetching-") as nearby, ThreadPoolExecutor(AT_ONCE) as threads:
        maven = MavenContext(repo_cache=Path(nearby), timeout=PATIENCE)

        def download(jar: Jar) -> None:
            fetched = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            verify(jar, fetched)
            fetched.replace(cache / jar.file)

        try:
            list(threads.map(download, absent))
        except (RequestException, RuntimeError, OSError) as fault:
            raise Unreachable(
                f"Kafka's jars cannot be downloaded into {cache} ({type(fault).__name__}): connect this machine to the network "
                "once, name a directory that has them in REGULARS_JARS, or name a broker in KAFKA_BOOTSTRAP."
            ) from fault


def verify(jar: Jar, path: Path) -> None:
    """Raise :class:`Unreadable` if a file does not have the jar's SHA-256."""
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise Unreadable(f"{path} is not the expected {jar.file} (its SHA-256 is {found}): remove it, and try again.")
