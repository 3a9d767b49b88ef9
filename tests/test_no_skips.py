"""A skip that nobody sees is a test that nobody has: in CI it fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
HERE = Path(__file__).parent


def outcome(folder: Path, test: str, *, ci: str) -> str:
    """What pytest prints about one file of tests under our conftest."""
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_one.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", str(folder)],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}, "CI": ci},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_a_skipped_test_fails_in_ci_and_says_why(tmp_path: Path):
    said = outcome(tmp_path, "import pytest\ndef test_it():\n    pytest.skip('no moon')\n", ci="1")
    assert "test_one.py::test_it was skipped, and CI skips nothing. Skipped: no moon" in said
    assert "1 failed" in said


def test_a_skipped_file_fails_in_ci(tmp_path: Path):
    said = outcome(tmp_path, "import pytest\npytest.skip('no moon', allow_module_level=True)\n", ci="1")
    assert "test_one.py was skipped, and CI skips nothing. Skipped: no moon" in said
    assert "1 error" in said


def test_outside_ci_a_skip_is_a_skip(tmp_path: Path):
    said = outcome(tmp_path, "import pytest\ndef test_it():\n    pytest.skip('no moon')\n", ci="")
    assert "1 skipped" in said
