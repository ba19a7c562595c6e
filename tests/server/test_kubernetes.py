"""deploy/kubernetes.yaml against the schemas of Kubernetes, and against the service itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml

from eryx.server import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).parents[2] / "deploy"
OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all(DEPLOY.joinpath("kubernetes.yaml").read_text())
)
VERSIONS = ["1.31.0", "1.34.0", kubernetes_validate.latest_version()]


def name_of(each: dict[str, Any]) -> str:
    name: str = each["metadata"]["name"]
    return name


def found(kind: str, name: str = "eryx") -> dict[str, Any]:
    (one,) = [each for each in OBJECTS if each["kind"] == kind and name_of(each) == name]
    return one


def pod() -> dict[str, Any]:
    template: dict[str, Any] = found("Deployment")["spec"]["template"]
    return template


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those that the service would find."""
    path = tmp_path / "settings.toml"
    path.write_text(found("Secret", "eryx-settings")["stringData"]["settings.toml"])
    return read_settings(path)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "each", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}"
)
def test_each_object_is_what_the_schema_wants(each: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(each, version, strict=True)


def test_the_schema_would_find_something() -> None:
    wrong = {**found("Deployment"), "spec": {**found("Deployment")["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def selectors() -> Iterator[tuple[dict[str, str], str]]:
    for each in OBJECTS:
        spec = each.get("spec", {})
        chosen = spec.get("podSelector", spec.get("selector"))
        if chosen:
            yield chosen.get("matchLabels", chosen), each["metadata"]["name"]


def test_names_lead_to_what_there_is(settings: Settings) -> None:
    for labels, name in selectors():
        assert labels == {"app.kubernetes.io/name": name}
    assert settings.store == "redis://redis.eryx.svc.cluster.local/0"
    assert found("Service", "redis")["spec"]["ports"][0]["port"] == 6379
    volumes = {volume["name"] for volume in pod()["spec"]["volumes"]}
    (container,) = pod()["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert found("Service")["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]


def test_its_container_is_that_of_the_image() -> None:
    text = DEPLOY.joinpath("Dockerfile").read_text()
    (container,) = pod()["spec"]["containers"]
    context = pod()["spec"]["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in text
    assert f"EXPOSE {container['ports'][0]['containerPort']}" in text
    assert str(container["args"]).replace("'", '"') in text


def test_there_is_time_to_end(settings: Settings) -> None:
    """For the sleep before, the runs that go on, and the sessions that are stored then."""
    (container,) = pod()["spec"]["containers"]
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    there = pod()["spec"]["terminationGracePeriodSeconds"]
    assert before + settings.drain_seconds + 30 <= there


def test_its_memory_holds_what_the_settings_allow(settings: Settings) -> None:
    """By the formula of docs/deploying.md: all that may run at a time, with all it may take."""
    (container,) = pod()["spec"]["containers"]
    limit = container["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    assert settings.max_runs is not None
    usual = (
        256 + settings.max_sessions * 2 + settings.max_runs * (settings.quota.memory_bytes >> 20)
    )
    assert usual <= int(limit.removesuffix("Gi")) << 10
