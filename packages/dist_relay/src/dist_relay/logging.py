"""Structured logs: JSON for machines or lines for people, correlation id bound, secrets blacked out."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal

import structlog
from structlog.contextvars import bound_contextvars

_SECRET_NAME = re.compile(
    r"pass(word|phrase)?|secret|token|api_?key|private|credential|authorization|sealed|dsn", re.IGNORECASE
)
_SECRET_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s@]+@")
_SECRET_TEXT = re.compile(r"(?i)\b(bearer\s+|shpat_|shpss_|shpca_)[\w.\-]{6,}")

BLACK = "[secret]"


def configure(fmt: Literal["json", "console"] = "console", level: str = "INFO") -> None:
    """Set up structlog, and the logs of libraries through it, on standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    last: Any = (
        structlog.processors.JSONRenderer(default=str)
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("urllib3").setLevel(max(logging.WARNING, root.level))


def redact(_logger: Any, _method: str, values: Any) -> Any:
    """Black out values of telling names, passwords in URLs and known shapes of tokens."""
    return {name: BLACK if _SECRET_NAME.search(name) else _clean(value) for name, value in values.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda m: m[1] + BLACK, _SECRET_URL.sub(r"\1" + BLACK + "@", value))
    if isinstance(value, dict):
        return {k: BLACK if _SECRET_NAME.search(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    if isinstance(value, BaseException):
        return _clean(str(value))
    return value


def get(**values: Any) -> Any:
    """A logger with values bound."""
    return structlog.get_logger("dist_relay", **values)


__all__ = ["BLACK", "bound_contextvars", "configure", "get", "redact"]
