"""Settings: environment (``DIST_RELAY_…``), a TOML or .env file, a folder of secrets. One clear line for a bad one.

Where a setting is given twice the environment wins over the secrets folder, and that over the file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dist_relay.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PREFIX = "DIST_RELAY_"


class Settings(BaseSettings):
    """Everything an operator may set; durations carry their unit in the name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    dsn: SecretStr = Field(
        SecretStr(""), description="PostgreSQL, as the least-privilege role: postgresql://dist_relay:…@host/db"
    )
    redis_url: SecretStr = Field(SecretStr("redis://127.0.0.1:6379/0"), description="redis://, rediss://, …; see docs")
    key_file: Path | None = Field(None, description="file with the private key (made by keygen, mode 0600)")
    private_key: SecretStr | None = Field(None, description="the private key itself, instead of a file")
    database: UUID | None = Field(
        None, description="serve only this Odoo database (uuid); default: every announced one"
    )

    http_host: str = Field("127.0.0.1", description="where /healthz and /metrics listen")
    http_port: int = Field(9187, ge=0, le=65535, description="0 takes a free port; see also http_enabled")
    http_enabled: bool = True
    log_format: Literal["json", "console"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    poll_ms: int = Field(300, ge=20, le=10_000, description="how often the outbox is looked at without a doorbell")
    pull_poll_seconds: float = Field(1.0, gt=0, le=60, description="how often due pull schedules are claimed")
    config_seconds: float = Field(3.0, gt=0, le=60, description="how often connections are published to workers")
    claim_batch: int = Field(200, ge=1, le=1000, description="events claimed at once for one connection")
    lease_seconds: int = Field(
        120, ge=2, le=3600, description="an event without result is published again after this; twice call_seconds"
    )
    stream_limit: int = Field(1000, ge=1, description="publishing to a connection pauses above this many entries")
    intake_batch: int = Field(500, ge=1, le=1000, description="results stored in one transaction")

    threads: int = Field(32, ge=1, le=512, description="flows of connections served at the same time by one worker")
    call_seconds: float = Field(30.0, gt=0, description="longest time of one call of an adapter")
    claim_idle_seconds: float = Field(
        45.0, gt=0, description="work of a worker that died is taken over after this; more than call_seconds"
    )
    max_deliveries: int = Field(4, ge=2, le=100, description="an event begun so often without a result is given up")
    results_limit: int = Field(20_000, ge=100, description="pulling pauses while this many results wait for PostgreSQL")
    pull_pages: int = Field(40, ge=1, le=1000, description="pages of one pull run; the next run goes on from there")
    throttle_wait_seconds: float = Field(5.0, ge=0, le=60, description="longest wait for budget before work is parked")
    breaker_failures: int = Field(5, ge=1, description="failures in a row that open a connection's breaker")
    breaker_seconds: float = Field(
        15.0, gt=0, description="first time an open breaker waits; doubles up to 20 times this"
    )
    stop_seconds: float = Field(25.0, gt=0, description="longest wait for work in hand when asked to stop")
    otel: bool = Field(
        False, description="spans by OpenTelemetry; needs dist-relay[otel], run by opentelemetry-instrument"
    )
    plain_http_hosts: str = Field("", description="hosts that may be called without TLS, separated by commas")
    ca_file: Path | None = Field(None, description="certificate authorities for calls outside, instead of the usual")

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.claim_idle_seconds <= self.call_seconds:
            raise ValueError("claim_idle_seconds must be more than call_seconds: a call that still runs is not dead")
        if self.lease_seconds < 2 * self.call_seconds:
            raise ValueError("lease_seconds must be twice call_seconds or more: no call begins too late to end in time")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, environment, secrets folder, .env file (TOML comes in with the command line's rank of file)."""
        return init_settings, env_settings, file_secret_settings, dotenv_settings


def load(config: Path | None = None, secrets_dir: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings.

    ``config`` (default: ``$DIST_RELAY_CONFIG``) is a ``.toml`` or ``.env`` file; ``secrets_dir`` (default:
    ``$DIST_RELAY_SECRETS_DIR``) holds one file per secret, named like the variable (``dist_relay_dsn``).

    :raises SettingsError: one line naming the first bad setting.
    """
    config = config or _path(os.environ.get(f"{PREFIX}CONFIG"))
    secrets_dir = secrets_dir or _path(os.environ.get(f"{PREFIX}SECRETS_DIR"))
    if config and not config.is_file():
        raise SettingsError(f"there is no settings file {config}")
    if secrets_dir and not secrets_dir.is_dir():
        raise SettingsError(f"there is no secrets folder {secrets_dir}")
    kwargs: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    if secrets_dir:
        kwargs["_secrets_dir"] = secrets_dir
    below: dict[str, Any] = {}
    if config:
        below = _toml(config) if config.suffix == ".toml" else _dotenv(config)
    try:
        return _layered(below)(**kwargs)
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def _layered(below: dict[str, Any]) -> type[Settings]:
    """The settings class with ``below`` as its lowest source."""
    if not below:
        return Settings

    class FileSettings(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *sources: Any, **named: Any
        ) -> tuple[Any, ...]:
            above = super().settings_customise_sources(settings_cls, *sources, **named)
            return (*above, InitSettingsSource(settings_cls, init_kwargs=below))

    return FileSettings


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _dotenv(path: Path) -> dict[str, Any]:
    source = DotEnvSettingsSource(Settings, env_file=path, env_prefix=PREFIX)
    names = {f"{PREFIX}{name}".lower(): name for name in Settings.model_fields}
    return {names[key]: value for key, value in source.env_vars.items() if key in names and value is not None}


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    if not name:
        return message
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r}; `dist-relay settings` lists them"
    return f"{name} ({PREFIX}{name.upper()}): {message}"
