"""Carry a worker's changes out of its checkout as data: a pack and a tree, made inside the sandbox by git that belongs to the worker.

Nothing here is believed: whoever receives the pack imports it strictly and judges the tree.
"""

import re
from typing import NamedTuple

from bot.ports import Checkout, Permanent, Sandbox, SandboxRun, Transient

_SCRIPT = r"""
set -e
base=$1
git() { command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 -c core.excludesFile="${index%/*}/ignored" "$@"; }
index=$(mktemp -d)/index
# What tools leave behind is nobody's change; a repository that wants such a file has it tracked, and tracked files are not ignored.
printf '%s\n' __pycache__/ '*.py[cod]' .pytest_cache/ .ruff_cache/ .mypy_cache/ .hypothesis/ .coverage .tox/ .nox/ .venv/ node_modules/ \
  test-results/ playwright-report/ '*.egg-info/' .DS_Store '*.swp' > "${index%/*}/ignored"
# The worker's index knows which files have not changed; without it every file would be read again.
cp -- "$(git rev-parse --git-path index)" "$index" 2>/dev/null || true
export GIT_INDEX_FILE="$index"
git add -A -- . >&2 || { rm -f -- "$index"; git read-tree "$base" >&2; git add -A -- . >&2; }
tree=$(git write-tree)
old=$(git rev-parse --verify --quiet "$base^{tree}")
echo "tree $tree" >&2
[ "$tree" = "$old" ] && exit 0
printf '%s\n^%s\n' "$tree" "$old" | git pack-objects --revs --thin --stdout -q --threads=1
"""
_TREE = re.compile(rb"^tree ([0-9a-f]{40}|[0-9a-f]{64})$", re.MULTILINE)


class Exported(NamedTuple):
    """`pack` is a thin pack of everything that the base SHA lacks, empty where nothing changed; `note` is what git said on the way."""

    pack: bytes
    tree: str
    note: str


async def export(
    sandbox: Sandbox, checkout: Checkout, *, limit: int = 64 * 1024 * 1024, seconds: float = 300.0
) -> Exported:
    """Everything in the checkout that git does not ignore, against its base SHA.

    Raises Permanent for more than `limit` bytes or a repository that the worker broke, Transient where it took longer than `seconds`.
    """
    argv = ("sh", "-c", _SCRIPT, "export", checkout.sha)
    ended = await sandbox.run(SandboxRun(checkout, argv, timeout=seconds, output_limit=limit, separate_stderr=True))
    if ended.killed == "timeout":
        raise Transient(f"the worker's changes could not be read in {seconds:.0f} s")
    if ended.clipped or ended.killed:
        raise Permanent(
            f"the worker's changes passed a limit of {limit // 1_048_576} MiB or of the sandbox: {ended.killed or 'size'}"
        )
    found = _TREE.findall(ended.stderr)
    said = _TREE.sub(b"", ended.stderr).decode(errors="replace").strip()
    if ended.exit_code != 0 or not found:
        raise Permanent(f"the worker's repository could not be read: {said[-300:]}")
    return Exported(ended.output, found[-1].decode(), said[:2000])
