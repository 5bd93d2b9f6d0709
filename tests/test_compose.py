"""docker-compose.yml: valid, in step with what ``make demo`` starts, and closed to the outside."""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution
from pathlib import Path

import jsonschema
import pytest
import yaml

from dist_dev.compose import make_secrets
from dist_dev.services import RELAY_ROLE, SERVICES, VALKEY_OPTIONS

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
RUNNING = {name: service for name, service in COMPOSE["services"].items() if name != "odoo-init"}


def schema() -> dict:
    """The published schema, as check-jsonschema ships it."""
    found = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    return json.loads(Path(str(found)).read_text())


def problems(document: dict) -> list[str]:
    validator = jsonschema.validators.validator_for(schema())(schema())
    return [error.json_path for error in validator.iter_errors(document)]


def test_it_is_valid_by_the_compose_specification():
    assert problems(COMPOSE) == []


def test_the_schema_notices_what_is_wrong():
    broken = {**COMPOSE, "services": {"odoo": {"imag": "odoo:19.0", "ports": "8069"}}}
    assert problems(broken)


def test_it_runs_the_same_services_as_the_demo():
    assert set(RUNNING) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_runs_the_same_command(name: str):
    described = list(SERVICES[name].command)
    assert RUNNING[name]["command"][: len(described)] == described


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_gets_the_settings_it_needs_and_no_secret_in_plain(name: str):
    service, described = RUNNING[name], SERVICES[name]
    given = dict(service.get("environment", {}))
    for setting, fixed in described.settings.items():
        if fixed is not None:
            assert given[setting] == fixed
        elif setting not in given:
            by_file = {setting.lower(), setting.lower().replace("key_file", "private_key")}
            assert by_file & set(service["secrets"]), f"{name} lacks {setting}"
            assert given["DIST_RELAY_SECRETS_DIR"] == "/run/secrets"
    unknown = {key for key in given if key.startswith("DIST_RELAY_")} - set(described.settings)
    assert unknown <= {"DIST_RELAY_SECRETS_DIR"}
    for key, value in given.items():
        assert not re.search("PASSWORD|DSN|KEY|TOKEN", key) or str(value).startswith("/run/secrets/")


def test_valkey_never_evicts():
    assert RUNNING["valkey"]["command"][1:] == list(VALKEY_OPTIONS)


def test_only_odoo_is_published_and_on_loopback_only():
    published = {name: service["ports"] for name, service in RUNNING.items() if "ports" in service}
    assert published == {"odoo": ["127.0.0.1:${ODOO_PORT:-8069}:8069"]}
    assert COMPOSE["networks"]["data"]["internal"] is True
    assert [RUNNING[name]["networks"] for name in ("postgres", "valkey")] == [["data"], ["data"]]


def test_what_scales_has_no_name_port_or_volume_of_its_own():
    for name, described in SERVICES.items():
        if described.scalable:
            assert not {"container_name", "ports", "volumes"} & set(RUNNING[name])


def test_the_workers_of_the_relay_never_see_the_database():
    assert "dist_relay_dsn" not in RUNNING["relay-worker"]["secrets"]


def test_every_service_says_whether_it_is_well():
    assert [name for name, service in RUNNING.items() if "healthcheck" not in service] == []


def test_each_service_waits_for_what_it_needs():
    for service in COMPOSE["services"].values():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed == "odoo-init" else "service_healthy"
            assert how["condition"] == expected


def test_what_is_mounted_and_built_is_there():
    for service in COMPOSE["services"].values():
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_what_the_images_copy_is_there():
    for dockerfile in ROOT.glob("docker/*/Dockerfile"):
        for line in re.findall(r"^COPY (?:--\S+ )?(.*)$", dockerfile.read_text(), flags=re.M):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), f"{dockerfile} copies {source}"


def test_the_roles_are_made_with_the_secrets_that_are_given():
    script = (ROOT / "docker/postgres/10-roles.sh").read_text()
    assert f"CREATE ROLE {RELAY_ROLE} LOGIN" in script
    for name in re.findall(r"/run/secrets/(\w+)", script):
        assert name in RUNNING["postgres"]["secrets"]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for example in (ROOT / "docker/secrets").glob("*.example"):
        (tmp_path / example.name).write_text(example.read_text())
    return tmp_path


def test_every_secret_can_be_made(secrets: Path):
    made = make_secrets(secrets)
    assert set(made) == set(COMPOSE["secrets"])
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"docker/secrets/{name}"
        assert len((secrets / name).read_text().strip()) >= 32
    password = (secrets / "relay_db_password").read_text().strip()
    assert (secrets / "dist_relay_dsn").read_text() == f"postgresql://dist_relay:{password}@postgres:5432/dist\n"


def test_secrets_are_kept_and_differ(secrets: Path, tmp_path: Path):
    make_secrets(secrets)
    before = (secrets / "postgres_password").read_text()
    assert make_secrets(secrets) == []
    assert (secrets / "postgres_password").read_text() == before
    assert len({(secrets / name).read_text() for name in COMPOSE["secrets"]}) == len(COMPOSE["secrets"])
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_the_relay_accepts_the_key(secrets: Path):
    crypto = pytest.importorskip("dist_relay.crypto")
    make_secrets(secrets)
    assert crypto.public_of((secrets / "dist_relay_private_key").read_text().strip())


def test_secrets_are_not_in_the_repository():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/docker/secrets/*" in ignored
    assert "!/docker/secrets/*.example" in ignored
