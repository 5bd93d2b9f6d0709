"""Chromium for browser tests: taken where it is found; root installs Debian's. Without it those tests skip."""

from __future__ import annotations

import os
import shutil

from . import ui
from .layout import Layout
from .steps import Step

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_chromium() -> str | None:
    """Path of a Chromium, or None. ``DIST_CHROMIUM`` names one; ``DIST_CHROMIUM=none`` forbids looking."""
    named = os.environ.get("DIST_CHROMIUM")
    if named:
        return None if named == "none" else shutil.which(named)
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def chromium_step(layout: Layout) -> Step:
    def run() -> str:
        found = find_chromium()
        if found:
            return found
        if os.environ.get("DIST_CHROMIUM") == "none" or os.geteuid() != 0:
            return "none found; browser tests will be skipped (as root, `apt-get install chromium` changes that)"
        log = layout.logs / "setup" / "chromium.log"
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        try:
            for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
                title = f"apt-get {command[0]}"
                argv = ["apt-get", "-q", *command]
                ui.run_logged(argv, log, name="chromium", title=title, hint="Going on without.", env=env)
        except ui.Problem as problem:
            ui.step("chromium", str(problem))
            return "none; browser tests will be skipped"
        return find_chromium() or "none; browser tests will be skipped"

    return Step(
        "chromium", "Chromium for browser tests", lambda: [str(find_chromium()), str(os.geteuid())], run, lambda: True
    )
