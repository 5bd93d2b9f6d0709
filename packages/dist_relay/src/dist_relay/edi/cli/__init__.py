"""The command line: ``python -m dist_relay.edi inspect|validate|convert|ack FILE…``, also ``dist-relay edi``.

Exit status: 0 all is well, 1 there are findings, 2 something could not be read (or the command line is wrong).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ..errors import EdiError
from ..grammar.registry import Registry, default
from ..overlay.load import profile
from ..reader import Codec, codec
from .console import Console
from .options import parser


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run the command line and give the exit status."""
    console = console or Console(sys.stdout, sys.stderr, sys.stdin)
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        console.begin(no_color=getattr(options, "no_color", False))
        command = import_module(f".{options.command}", __name__)  # loaded when asked for: convert needs much
        return int(command.run(options, _codec(options), console))
    except EdiError as error:
        console.error(str(error))
        return 2
    except BrokenPipeError:
        console.gone()
        return 1
    except OSError as error:
        console.error(f"{error.filename or 'output'}: {error.strerror or error}")
        return 2
    except KeyboardInterrupt:
        console.error("stopped")
        return 130
    finally:
        console.end()


def _codec(options: argparse.Namespace) -> Codec:
    for each in options.grammars:
        if not Path(each).is_dir():
            raise EdiError(f"{each}: there is no such folder of grammars")
        if not any((Path(each) / standard).is_dir() for standard in ("x12", "edifact")):
            raise EdiError(f"{each}: a folder of grammars has x12/ or edifact/ in it, and this has neither")
    registry = Registry(*(Path(each) for each in options.grammars)) if options.grammars else default()
    if not options.partner:
        return codec(None, registry)
    named = options.partner in ("strict", "standard", "lenient")
    return codec(profile(options.partner if named else Path(options.partner), registry=registry), registry)
