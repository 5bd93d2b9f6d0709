"""Settings from every source, and one clear line for each bad one."""

from __future__ import annotations

import pytest

from dist_relay.errors import SettingsError
from dist_relay.settings import load


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("DIST_RELAY_")]:
        monkeypatch.delenv(name)


def test_environment_wins_over_secrets_over_file(tmp_path, monkeypatch):
    file = tmp_path / "relay.toml"
    file.write_text('dsn = "postgresql://file"\nredis_url = "redis://file"\nthreads = 3\npoll_ms = 400\n')
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "dist_relay_dsn").write_text("postgresql://secret\n")
    (secrets / "dist_relay_redis_url").write_text("redis://secret")
    monkeypatch.setenv("DIST_RELAY_REDIS_URL", "redis://env")
    settings = load(file, secrets, threads=9)
    assert settings.dsn.get_secret_value() == "postgresql://secret"
    assert settings.redis_url.get_secret_value() == "redis://env"
    assert settings.threads == 9
    assert settings.poll_ms == 400


def test_dotenv_and_the_variable_for_the_file(tmp_path, monkeypatch):
    file = tmp_path / "relay.env"
    file.write_text("DIST_RELAY_POLL_MS=250\nOTHER=1\n")
    monkeypatch.setenv("DIST_RELAY_CONFIG", str(file))
    assert load().poll_ms == 250


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("POLL_MS", "soon", "poll_ms (DIST_RELAY_POLL_MS): Input should be a valid integer"),
        ("LEASE_SECONDS", "1", "lease_seconds (DIST_RELAY_LEASE_SECONDS): Input should be greater than or equal to 2"),
        ("DATABASE", "prod", "database (DIST_RELAY_DATABASE): Input should be a valid UUID"),
        ("CALL_SECONDS", "60", "claim_idle_seconds must be more than call_seconds"),
        ("LOG_FORMAT", "xml", "log_format (DIST_RELAY_LOG_FORMAT)"),
    ],
)
def test_a_bad_setting_is_one_line(monkeypatch, name, value, says):
    monkeypatch.setenv(f"DIST_RELAY_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_in_the_file(tmp_path):
    file = tmp_path / "relay.toml"
    file.write_text("pool_ms = 3\n")
    with pytest.raises(SettingsError, match="there is no setting 'pool_ms'"):
        load(file)
    file.write_text("pool_ms = \n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(file)
    with pytest.raises(SettingsError, match="there is no settings file"):
        load(tmp_path / "none.toml")


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("DIST_RELAY_DSN", "postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(load())
