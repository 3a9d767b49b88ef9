"""What holds for every test: CI skips nothing, a test that needs root says so by its mark, and nothing fails for being slow."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests of what only root can do; the plain user's part of .ci/run leaves them out by `-m "not needs_root"`."""
    mark = item.get_closest_marker("needs_root")
    if mark is not None and os.geteuid() != 0:
        pytest.skip(f"needs root: {mark.kwargs['why']}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips fails in CI."""
    return _not_skipped((yield), item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file that skips as a whole fails in CI."""
    return _not_skipped((yield), collector.nodeid)


def _not_skipped(report: Report, name: str) -> Report:
    if report.skipped and os.environ.get("CI", "") not in ("", "0", "false"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{name} was skipped, and CI skips nothing. {reason}"
    return report
