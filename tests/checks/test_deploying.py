"""compose.yaml and deploy/ use commands, variables, files and numbers that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.cli.main import COMMANDS
from streams.kafka.topics import PARTITIONS
from tests.checks.settings_read import settings_read

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "compose.yaml"
FOLDERS = sorted(path.parent for path in ROOT.glob("deploy/**/kustomization.yaml"))
ACL = re.compile(r"^ *user (?!admin).*$", re.MULTILINE)
USED = re.compile(r"(?<!\$)\$\{(\w+)(?::[?-])?[^}]*\}")


def composed() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


def ours() -> dict[str, Any]:
    return {name: service for name, service in composed()["services"].items() if "build" in service}


def resources() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the resources of all kustomize folders."""
    for folder in FOLDERS:
        for file in sorted(set(folder.glob("*.yaml")) - {folder / "kustomization.yaml"}):
            for document in yaml.safe_load_all(file.read_text()):
                yield file, document


def pods() -> dict[str, Any]:
    return {made["metadata"]["name"]: made["spec"]["template"] for _, made in resources() if "template" in made.get("spec", {})}


def containers() -> list[Any]:
    return [container for pod in pods().values() for container in pod["spec"]["containers"]]


def test_every_service_runs_an_existing_command() -> None:
    commands = [service["command"] for service in ours().values()] + [container["args"] for container in containers()]
    assert {command[0] for command in commands} == {"migrate", "topics", "relay", "worker", "tick", "webhook", "import"}
    assert {command[0] for command in commands} <= set(COMMANDS)
    assert 'ENTRYPOINT ["regulars"]' in (ROOT / "Dockerfile").read_text()


def test_every_variable_is_a_setting() -> None:
    known = settings_read()
    for service in ours().values():
        assert set(service["environment"]) <= known
    maps = [made for _, made in resources() if made["kind"] == "ConfigMap"]
    assert maps
    for made in maps:
        assert set(made["data"]) <= known
    for _, made in resources():
        if made["kind"] == "TriggerAuthentication":
            told = {one["key"] for one in made["spec"]["secretTargetRef"] if one["name"] == "regulars"}
            assert told <= known


def test_the_example_has_every_variable_of_compose_and_no_password() -> None:
    lines = [line.partition("=") for line in (ROOT / ".env.example").read_text().splitlines() if line and line[0] != "#"]
    told = {name: value for name, _, value in lines}
    assert set(told) == set(USED.findall(COMPOSE.read_text()))
    assert {name for name, value in told.items() if not value} == {name for name in told if name.endswith("PASSWORD")}
    demanded = re.findall(r"\$\{(\w+PASSWORD):\?", COMPOSE.read_text())
    assert len(demanded) == len(re.findall(r"\$\{\w+PASSWORD", COMPOSE.read_text()))


def test_redis_users_equal_those_of_the_operating_page() -> None:
    page = ACL.findall((ROOT / "docs/operating.md").read_text())
    content = composed()["configs"]["users"]["content"]
    assert [re.sub(r">\S+( it in \.env\})?", ">", line) for line in ACL.findall(content)] == [
        re.sub(r">\S+", ">", line) for line in page
    ]


def test_services_wait_for_existing_services_and_declare_volumes() -> None:
    told = composed()
    for name, service in told["services"].items():
        for other, how in service.get("depends_on", {}).items():
            kind = "healthcheck" if how["condition"] == "service_healthy" else "command"
            assert kind in told["services"][other], name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in told["volumes"]
        assert service["deploy"]["resources"]["limits"]["memory"]
        assert "restart" in service
    assert told["services"]["relay"]["deploy"]["replicas"] == 2
    assert told["services"]["worker"]["deploy"]["replicas"] == 3


def test_the_image_copies_existing_files() -> None:
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    named = {name for line in copied for name in line.split()}
    assert named == set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert all((ROOT / name).exists() for name in named)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_kustomize_file_is_listed_once(folder: Path) -> None:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    named = [*told["resources"], *(patch["path"] for patch in told.get("patches", ()))]
    here = [name for name in named if not name.startswith("..")]
    assert sorted(here) == sorted(file.name for file in folder.glob("*.yaml") if file.name != "kustomization.yaml")
    assert all((folder / name / "kustomization.yaml").exists() for name in named if name.startswith(".."))


def test_pods_have_limits_probes_and_no_root() -> None:
    for name, pod in pods().items():
        assert pod["spec"]["securityContext"]["runAsNonRoot"], name
    for container in containers():
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        if container["args"][0] in ("relay", "worker"):
            assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        more = {"data", "rejects"} if container["args"][0] == "import" else set()
        assert mounts == {"home", "scratch", "certificates"} | more


def test_a_live_shop_has_a_ticker_and_goes_by_the_wall_clock() -> None:
    ticks = [service for service in ours().values() if service["command"][0] == "tick"]
    assert len(ticks) == 1
    assert all(service["environment"]["REGULARS_CLOCK"] == "wall" for service in ours().values())
    assert [container["args"] for container in containers() if container["args"][0] == "tick"] == [["tick", "--every", "60"]]
    assert [made["data"].get("REGULARS_CLOCK") for _, made in resources() if made["kind"] == "ConfigMap"].count("wall") == 1


def test_webhooks_are_sent_by_one_process_with_another_that_stands_by() -> None:
    senders = {name: service for name, service in ours().items() if service["command"] == ["webhook", "send"]}
    assert [service["deploy"]["replicas"] for service in senders.values()] == [2]
    pods_of = [
        made for _, made in resources() if made["kind"] == "Deployment" and made["metadata"]["name"] == "regulars-webhooks"
    ]
    assert [made["spec"]["replicas"] for made in pods_of] == [2]
    assert [container["args"] for container in containers() if container["args"][0] == "webhook"] == [["webhook", "send"]]
    settings = {name for service in senders.values() for name in service["environment"]}
    assert "DATABASE_URL" in settings
    assert "REGULARS_WEBHOOKS_PRIVATE" not in settings  # endpoints of a live shop are public


def test_rejected_lines_outlive_an_import_and_the_image_has_a_health_check() -> None:
    assert ours()["import"]["volumes"] == ["rejects:/srv/rejects"]
    image = (ROOT / "Dockerfile").read_text()
    assert "/srv/rejects" in image
    assert re.search(r'^HEALTHCHECK .*CMD \["python", "-c", ".*healthz', image, re.MULTILINE)


def test_resources_name_existing_resources() -> None:
    names = {(made["kind"], made["metadata"]["name"]) for _, made in resources()}
    components = {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods().values()}
    for file, made in resources():
        match made["kind"]:
            case "PodDisruptionBudget" | "Deployment":
                assert made["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] in components, file
            case "ScaledObject":
                assert ("Deployment", made["spec"]["scaleTargetRef"]["name"]) in names
                assert made["spec"]["maxReplicaCount"] <= PARTITIONS
                for trigger in made["spec"]["triggers"]:
                    assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in names
