"""The command ``dist-relay``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dist_relay import __version__, adapters, crypto
from dist_relay import logging as logs
from dist_relay.errors import SettingsError
from dist_relay.pump.pg import Pg
from dist_relay.pump.port import Unavailable
from dist_relay.settings import PREFIX, Settings, load

HELP = """The Redis-backed outbox beside Odoo.

The [b]pump[/b] carries events from PostgreSQL to Redis Streams and results back; the [b]worker[/b] hands events to
adapters (a channel, a warehouse). A small shop runs both in one process:

  dist-relay keygen relay.key                     once; prints the public key
  export DIST_RELAY_DSN=postgresql://dist_relay:PASSWORD@localhost/odoo
  export DIST_RELAY_REDIS_URL=redis://localhost:6379/0
  export DIST_RELAY_KEY_FILE=relay.key
  dist-relay doctor                               is everything there?
  dist-relay run

Every setting is a variable DIST_RELAY_… ([b]dist-relay settings[/b] lists them), a line of the file given by --config
(.toml or .env), or a file in the folder given by --secrets-dir.
"""

app = typer.Typer(
    name="dist-relay", help=HELP, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="settings file, .toml or .env", metavar="FILE")]
SecretsOption = Annotated[Path | None, typer.Option("--secrets-dir", help="folder of secret files", metavar="DIR")]


class _Given:
    config: Path | None = None
    secrets: Path | None = None


@app.callback()
def _common(config: ConfigOption = None, secrets_dir: SecretsOption = None) -> None:
    _Given.config, _Given.secrets = config, secrets_dir


def _settings(**overrides: Any) -> Settings:
    settings = load(_Given.config, _Given.secrets, **overrides)
    logs.configure(settings.log_format, settings.log_level)
    return settings


def _serve(*, pump: bool, worker: bool, **overrides: Any) -> None:
    from dist_relay.service import Service

    Service(_settings(**overrides), pump=pump, worker=worker).run()


@app.command(epilog="Example: DIST_RELAY_HTTP_PORT=0 dist-relay run")
def run() -> None:
    """Pump and worker in one process, until SIGTERM or Ctrl-C; then work in hand is finished or given back."""
    _serve(pump=True, worker=True)


@app.command(epilog="Two pumps may run at once: if one dies the other goes on.")
def pump() -> None:
    """Only the pump: needs PostgreSQL and Redis, calls nothing outside."""
    _serve(pump=True, worker=False)


@app.command(epilog="Example: dist-relay worker --threads 64      Start as many as needed; they share the work.")
def worker(
    threads: Annotated[int | None, typer.Option(help="lanes served at the same time (two a connection)")] = None,
) -> None:
    """Only a worker: needs Redis and the private key, never sees PostgreSQL."""
    _serve(pump=False, worker=True, threads=threads)


@app.command(epilog="Exit code 1 when something is bad, so it fits into a deployment script.")
def doctor(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """Look at key, adapters, PostgreSQL and Redis, and say what to do about what is wrong."""
    from dist_relay.doctor import examine

    found = []
    marks = {"ok": "ok  ", "note": "note", "bad": "BAD "}
    for finding in examine(_settings(log_level="ERROR")):
        found.append(finding)
        if not as_json:
            typer.echo(f"{marks[finding.level]}  {finding.what}")
            if finding.hint:
                typer.echo(f"      {finding.hint}")
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in found], indent=2, ensure_ascii=False))
    raise typer.Exit(1 if any(finding.level == "bad" for finding in found) else 0)


@app.command(epilog="Example: dist-relay status --json | jq .")
def status(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """What waits, is in flight, failed: counts of the outbox and of jobs, lag of each connection."""
    pg = _pg()
    try:
        found = pg.status()
        names = {str(row["connection"]): str(row["name"]) for row in pg.connections()}
        lag = [
            {
                "connection": names.get(row.connection, row.connection),
                "ready": row.ready,
                "in_flight": row.in_flight,
                "oldest_seconds": round(row.oldest_seconds, 1),
            }
            for row in pg.pending()
        ]
    finally:
        pg.close()
    if as_json:
        typer.echo(json.dumps({"status": found, "connections": lag}, default=str))
        return
    for name, value in found.items():
        typer.echo(f"{name}: {json.dumps(value, default=str) if isinstance(value, dict | list) else value}")
    for line in lag:
        typer.echo("{connection}: {ready} ready, {in_flight} in flight, oldest {oldest_seconds} s".format(**line))
    if not lag:
        typer.echo("nothing waits")


@app.command(
    epilog="Example: dist-relay replay 0b0f8c3e-…      The same as the button Replay on a dead letter in Odoo."
)
def replay(event_ids: Annotated[list[str], typer.Argument(help="ids of dead or rejected events")]) -> None:
    """Send dead or rejected events again, under the same event ids."""
    pg = _pg()
    try:
        count = pg.replay(event_ids)
    finally:
        pg.close()
    typer.echo(f"{count} of {len(event_ids)} events will be sent again")
    raise typer.Exit(0 if count == len(event_ids) else 1)


@app.command(epilog="Example: dist-relay keygen /etc/dist-relay/relay.key")
def keygen(file: Annotated[Path, typer.Argument(help="where the private key is written (mode 0600)")]) -> None:
    """Make the key pair credentials are sealed with; prints the public key, which the pump announces to Odoo."""
    typer.echo(crypto.write_key(file))
    typer.echo(f"keep {file} safe: without it all credentials have to be entered again", err=True)


@app.command(epilog="Example: dist-relay manifests | jq '.[].code'")
def manifests() -> None:
    """The manifests of the installed adapters, as JSON: what Odoo gets to know."""
    logs.configure("console", "ERROR")
    found = [adapter.manifest.to_json() for adapter in adapters.discover(logs.get()).values()]
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


@app.command("settings")
def list_settings() -> None:
    """Every setting, its default and what it means."""
    for name, field in Settings.model_fields.items():
        secret = "Secret" in str(field.annotation)
        default = "" if secret or field.default is None else f" [{field.default}]"
        typer.echo(f"{PREFIX}{name.upper()}{default}\n    {field.description or ''}".rstrip())


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    epilog="Example: dist-relay edi validate --json orders/",
)
def edi(context: typer.Context) -> None:
    """Inspect, validate, convert and acknowledge X12 and EDIFACT; `dist-relay edi --help` says how."""
    from dist_relay.edi.cli import main as run_edi

    raise typer.Exit(run_edi(context.args))


@app.command()
def version() -> None:
    """The version."""
    typer.echo(__version__)


def _pg() -> Pg:
    dsn = _settings(log_level="ERROR").dsn.get_secret_value()
    if not dsn:
        raise SettingsError("dsn is not set: DIST_RELAY_DSN=postgresql://dist_relay:PASSWORD@HOST/DATABASE")
    return Pg(dsn, "dist-relay cli")


def main() -> None:
    """Entry point: an error of settings or of reaching something is one line and exit code 2."""
    try:
        app()
    except (SettingsError, Unavailable) as error:
        print(f"dist-relay: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
