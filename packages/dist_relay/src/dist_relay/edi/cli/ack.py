"""``ack``: the acknowledgement of interchanges."""

from __future__ import annotations

import argparse
import json
from datetime import datetime

from ..ack import Numbers, acknowledge, assess
from ..errors import EdiError
from ..reader import Codec
from ..render.views import clean
from .console import Console
from .inputs import collect
from .sink import Sink


def run(options: argparse.Namespace, codec: Codec, console: Console) -> int:
    """Acknowledge all interchanges of all files. Status 1 if one is not accepted as it is, 2 if one cannot be read."""
    status, control = 0, options.control
    at = options.at or datetime.now()
    with Sink(options.output, console) as sink:
        for each in collect(options.files, recursive=options.recursive):
            name = clean(each.name, 300)
            try:
                if each.problem:
                    raise EdiError(each.problem)
                with each.open(console) as stream:
                    for interchange in codec.read(stream):
                        seen = assess(interchange)
                        answer = acknowledge(seen, Numbers(control), at, form=options.kind)
                        outcomes = {seen.own, *(group.own for group in seen.groups)}
                        outcomes |= {message.own for group in seen.groups for message in group.messages}
                        status = max(status, int(bool(outcomes - {"accepted"})))
                        if answer is None:
                            console.error(f"{name}: interchange {seen.control or '?'} is not to be acknowledged")
                            continue
                        control += 1
                        if options.json:
                            sink.line(json.dumps(_as_json(each.name, seen.control, answer.data), ensure_ascii=False))
                        else:
                            sink.bytes(answer.data)
                            sink.line("", only_terminal=True)
            except BrokenPipeError:
                raise
            except (EdiError, OSError) as error:
                console.error(f"{name}: {getattr(error, 'strerror', None) or error}")
                status = 2
    return status


def _as_json(file: str, control: str, data: bytes) -> dict[str, str]:
    return {"file": file, "interchange": control, "acknowledgement": data.decode("utf-8", "backslashreplace")}
