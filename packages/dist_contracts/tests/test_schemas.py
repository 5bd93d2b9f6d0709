"""The written schemas are the committed ones, and released ones never change incompatibly."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from samples import availability, envelope, order, shipment

from dist_contracts.__main__ import main, released_breaks, released_names
from dist_contracts.schema import PUBLISHED, as_text, schema_of, schemas

PACKAGE = Path(__file__).parents[1]
COMMITTED = PACKAGE / "schemas"
UPDATE = "python -m dist_contracts schema --out packages/dist_contracts/schemas"


def differences(folder: Path) -> list[str]:
    """Names whose committed schema is not what the models say now."""
    written = {name: as_text(schema) for name, schema in schemas().items()}
    stored = {path.name.removesuffix(".json"): path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in written.keys() | stored.keys() if written.get(name) != stored.get(name))


def test_committed_schemas_are_current() -> None:
    changed = differences(COMMITTED)
    assert not changed, f"the schema of {', '.join(changed)} changed; if that is meant, run: {UPDATE}"


def test_a_changed_missing_or_superfluous_schema_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(COMMITTED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "order.received.v1.json").write_text((tmp_path / "order.received.v1.json").read_text() + "\n")
    (tmp_path / "envelope.v1.json").unlink()
    (tmp_path / "order.received.v0.json").write_text("{}")
    assert differences(tmp_path) == ["envelope.v1", "order.received.v0", "order.received.v1"]


def test_released_schemas_did_not_break() -> None:
    broken = released_breaks(COMMITTED)
    assert not broken, "readers of a released schema break; give the type a new version instead:\n" + "\n".join(broken)


def test_every_released_name_has_its_snapshot() -> None:
    snapshots = {path.name.removesuffix(".json") for path in (COMMITTED / "released").glob("*.json")}
    assert snapshots == set(released_names(COMMITTED))


def test_each_schema_is_valid_and_carries_its_version() -> None:
    for name, schema in schemas().items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"urn:dist:contracts:{name}"


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("order.received.v1", order()),
        ("shipment.confirm.v1", shipment()),
        ("availability.changed.v1", availability()),
        ("envelope.v1", envelope()),
    ],
)
def test_what_we_write_satisfies_the_schema_and_a_wrong_one_does_not(name: str, whole: object) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    data = whole.to_json()  # type: ignore[attr-defined]
    validator.validate(data)
    assert not validator.is_valid(data | {"unheard_of": 1})
    for required in validator.schema["required"]:
        assert not validator.is_valid({key: value for key, value in data.items() if key != required})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("quantity", "-1"),
        ("quantity", "1e3"),
        ("quantity", 1),
        ("ordered_quantity", "0.00"),
        ("ordered_quantity", "-1"),
    ],
)
def test_schema_says_how_decimals_are_written(path: str, value: object) -> None:
    data = order().to_json()
    data["lines"][0][path] = value
    assert not jsonschema.Draft202012Validator(schema_of("order.received.v1")).is_valid(data)


def test_command_writes_the_same_each_time(tmp_path: Path) -> None:
    outputs = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        command = [sys.executable, "-m", "dist_contracts", "schema", "--out", str(folder)]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed}, capture_output=True)
        outputs.append({path.name: path.read_text() for path in folder.iterdir()})
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {f"{name}.json" for name in PUBLISHED}


def test_command_removes_schemas_of_types_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "gone.v1.json").write_text("{}")
    assert main(["schema", "--out", str(tmp_path)]) == 0
    assert not (tmp_path / "gone.v1.json").exists()


def test_command_prints_all_without_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schemas()


def test_release_freezes_and_check_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "RELEASED").write_text("# kept\n")
    assert main(["release", "order.cancel.v1", "--schemas", str(tmp_path)]) == 0
    assert (tmp_path / "RELEASED").read_text() == "# kept\norder.cancel.v1\n"
    assert main(["check", "--schemas", str(tmp_path)]) == 0

    frozen = tmp_path / "released" / "order.cancel.v1.json"
    schema = json.loads(frozen.read_text())
    schema["properties"]["colour"] = {"type": "string"}
    frozen.write_text(json.dumps(schema))
    assert main(["check", "--schemas", str(tmp_path)]) == 1
    assert main(["release", "order.cancel.v1", "--schemas", str(tmp_path)]) == 1
    assert "order.cancel.v1: colour: removed" in capsys.readouterr().err
    assert json.loads(frozen.read_text()) == schema, "a broken release is not overwritten"


def test_release_of_an_unknown_or_vanished_type_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "RELEASED").write_text("order.lost.v1\n")
    assert main(["release", "nothing.v1", "--schemas", str(tmp_path)]) == 1
    assert main(["check", "--schemas", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "not published: nothing.v1" in err
    assert "order.lost.v1: a released type is gone" in err


def test_check_outside_the_repository_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", "--schemas", str(tmp_path / "none")])
    assert caught.value.code == 2
    assert "give --schemas" in capsys.readouterr().err
