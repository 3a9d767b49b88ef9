"""`edit`: replace an exact text in a file, or create one.

The file is read and written inside the sandbox, by `sh` and `cat`, so that a path can reach nothing that a command could not; the
replacement itself is plain bytes work here. That way the tool works in images that have no Python or Perl.
"""

from bot.agent.tools.schema import strict
from bot.core.conversation import Json, ToolSpec
from bot.ports import Checkout, Sandbox, SandboxResult, SandboxRun

MAX_BYTES = 4_000_000

SPEC = ToolSpec(
    name="edit",
    description=(
        "Change a file of the checkout. `old` must occur in the file exactly once, character for character, and is replaced by `new`. "
        "With an empty `old` the file is created with `new` as its content; it must not exist yet. Parent directories are made."
    ),
    schema=strict(
        path={"type": "string", "description": "Relative to the root of the checkout."},
        old={
            "type": "string",
            "description": "The text to replace, with enough lines around it to be unique; empty to create the file.",
        },
        new={"type": "string", "description": "The text that takes its place."},
    ),
)

# Both scripts walk to the file's directory first and ask where they have really come to: that is what defeats links out of the checkout.
_GO = """
root=$(pwd -P); path=$1
case $path in */*) folder=${path%/*} ;; *) folder=. ;; esac
name=${path##*/}
"""
_CHECK = """
cd -- "$folder" 2>/dev/null || { echo "there is no directory $folder" >&2; exit 41; }
case $(pwd -P)/ in "$root"/.git/*) echo "git's own files can't be edited" >&2; exit 42 ;; "$root"/*) ;;
*) echo "the path leaves the checkout" >&2; exit 42 ;; esac
if [ -L "$name" ]; then echo "it is a symbolic link" >&2; exit 42; fi
if [ -e "$name" ] && [ ! -f "$name" ]; then echo "it is not a regular file" >&2; exit 42; fi
"""
_READ = _GO + _CHECK + '[ -e "$name" ] || { echo "there is no such file" >&2; exit 41; }\nexec cat -- "$name"'
_MAKE = """
# Links among the parents are refused before anything is made through them.
walk=$folder; while [ "$walk" != . ] && [ -n "$walk" ]; do
if [ -L "$walk" ]; then echo "a parent of it is a symbolic link" >&2; exit 42; fi
case $walk in */*) walk=${walk%/*} ;; *) walk=. ;; esac; done
mkdir -p -- "$folder" || exit 41
"""
_CREATE = (
    _GO
    + _MAKE
    + _CHECK
    + 'if [ -e "$name" ]; then echo "the file is there already" >&2; exit 42; fi\nexec cat > "$name"'
)
_WRITE = _GO + _CHECK + 'exec cat > "$name"'


async def run(given: Json, *, sandbox: Sandbox, checkout: Checkout) -> tuple[str, bool]:
    """What the model is shown, and whether it is an error."""
    path, old, new = given["path"], given["old"].encode(), given["new"].encode()
    if refused := refusal(path):
        return refused, True
    if len(new) > MAX_BYTES:
        return f"The new text is larger than {MAX_BYTES} bytes.", True
    if not old:
        return _answer(await _script(_CREATE, path, sandbox, checkout, stdin=new), f"Created {path}.")
    read = await _script(_READ, path, sandbox, checkout)
    if read.exit_code != 0:
        return _answer(read, "")
    if read.clipped:
        return f"{path} is larger than {MAX_BYTES} bytes; use bash.", True
    if (count := read.output.count(old)) != 1:
        return (
            f"`old` does not occur in {path}."
            if not count
            else f"`old` occurs {count} times in {path}; add lines around it."
        ), True
    changed = read.output.replace(old, new)
    line = read.output[: read.output.index(old)].count(b"\n") + 1
    return _answer(await _script(_WRITE, path, sandbox, checkout, stdin=changed), f"Changed {path} at line {line}.")


def refusal(path: str) -> str:
    """Why a path is refused by its look alone, as a sentence; empty for one that may be tried."""
    parts = path.split("/")
    if not path or "\0" in path or "\n" in path or path.endswith("/"):
        return "The path must name a file."
    if path.startswith("/") or ".." in parts:
        return "The path must be relative to the checkout and may not contain `..`."
    if any(part.lower() == ".git" for part in parts):
        return "Git's own files can't be edited."
    return ""


async def _script(script: str, path: str, sandbox: Sandbox, checkout: Checkout, stdin: bytes = b"") -> SandboxResult:
    argv = ("sh", "-c", script, "edit", path)
    return await sandbox.run(
        SandboxRun(checkout, argv, stdin=stdin, timeout=30.0, output_limit=MAX_BYTES, separate_stderr=True)
    )


def _answer(ended: SandboxResult, good: str) -> tuple[str, bool]:
    if ended.exit_code == 0:
        return good, False
    why = ended.stderr.decode(errors="replace").strip() or ended.killed or "unknown error"
    return f"Not done: {why[-500:]}.", True
