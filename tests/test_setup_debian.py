"""Where Odoo's package comes from: Debian sources in both notations, and a clear sentence where there is none."""

from __future__ import annotations

import pytest

from dist_dev.debian import package_source
from dist_dev.ui import Problem

STABLE = """\
Types: deb deb-src
# the snapshot this machine was made from
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
SECURITY = STABLE.replace("trixie trixie-updates", "trixie-security").replace("/debian", "/debian-security")
OTHER = """\
Types: deb
URIs: http://packages.example/node
Suites: nodistro
Components: main
"""
UBUNTU = STABLE.replace("trixie trixie-updates", "noble noble-updates")


def sources(*stanzas: str) -> list[tuple[str, str]]:
    return [("debian.sources", "\n\n".join(stanzas))]


def test_the_machines_own_source_is_copied_with_the_other_suite():
    extension, content, own = package_source(sources(OTHER, SECURITY, STABLE), "sid")
    assert (extension, own) == ("sources", "trixie")
    assert content == (
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_without_a_suite_the_own_one_stays():
    assert "Suites: trixie\n" in package_source(sources(STABLE), None)[1]


def test_a_key_inside_the_source_is_kept():
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----\n"
    content = package_source(sources(STABLE.rsplit("Signed-By", 1)[0] + key), "sid")[1]
    assert content.endswith(key)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("deb http://mirror.example/debian bookworm main contrib", "deb http://mirror.example/debian sid main\n"),
        (
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian stable main # mine",
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian sid main\n",
        ),
    ],
)
def test_one_line_sources(line: str, expected: str):
    before = "# deb http://old.example/debian stretch main\ndeb http://mirror.example/debian bookworm-updates main\n"
    extension, content, _own = package_source([("sources.list", before + line + "\n")], "sid")
    assert (extension, content) == ("list", expected)


@pytest.mark.parametrize(
    "files",
    [
        [],
        sources(UBUNTU),
        sources(STABLE + "Enabled: no\n"),
        sources(STABLE.replace("main contrib", "contrib")),
        sources(STABLE.replace("Types: deb deb-src", "Types: deb-src")),
        [("sources.list", "deb http://mirror.example/ubuntu noble main universe\n")],
    ],
    ids=["none", "ubuntu", "disabled", "no main", "sources only", "ubuntu in one line"],
)
def test_a_machine_without_one_is_told_what_to_do(files: list[tuple[str, str]]):
    with pytest.raises(Problem, match=r"ODOO_HOME.*DIST_DEBIAN_SOURCES.*Docker"):
        package_source(files, "sid")
