"""Judge a delivered branch from outside: the test suite of the real later release, on the base and on the branch."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.playground.samples.sample import Sample
from bot.playground.world import Playground


def judge(hub: Playground, sample: Sample, branch: str, say: Callable[[str], None]) -> bool:
    """True when the judging tests fail on the base and pass on the branch, or when the sample has none."""
    if not sample.judge:
        return True
    names = ", ".join(sample.judge)
    before = _passes(hub, sample, sample.default_branch)
    after = _passes(hub, sample, branch)
    say(f"\nThe released suite ({names}) judges the branch: before {_word(before)}, after {_word(after)}.")
    say("A script drove the edit: what this proves is the machine, not a model.")
    return not before and after


def _word(passed: bool) -> str:
    return "passing" if passed else "failing"


def _passes(hub: Playground, sample: Sample, ref: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="journeyman-judge-") as folder:
        place = Path(folder)
        archive = subprocess.run(
            ["git", "-C", str(hub.repo(sample.repo).git.path), "archive", ref], capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        for path, content in sample.judge.items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sample.judge],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "PYTHONPATH": folder},
            capture_output=True,
        )
        return done.returncode == 0
