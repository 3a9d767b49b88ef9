"""`bash`: one shell command in the checkout, inside the sandbox."""

from bot.agent.tools.schema import strict
from bot.core.conversation import Json, ToolSpec
from bot.ports import Checkout, Sandbox, SandboxResult, SandboxRun

SHOWN_BYTES = 16_000

SPEC = ToolSpec(
    name="bash",
    description=(
        "Run a shell command at the root of the checkout. Each call is a new shell: directories and variables do not carry over, "
        "files do, and /tmp is emptied. There is no network. Long output is shown head and tail. Processes left behind are ended."
    ),
    schema=strict(
        command={"type": "string", "description": "The command, as for `sh -c`."},
        timeout={"type": "integer", "description": "Seconds after which it is killed; 120 is usual."},
    ),
)


async def run(
    given: Json, *, sandbox: Sandbox, checkout: Checkout, seconds: float, memory_mb: int, processes: int
) -> tuple[str, bool]:
    """What the model is shown, and whether it is an error of the tool (a failing command is not)."""
    timeout = max(1.0, min(float(given["timeout"]), seconds))
    ended = await sandbox.run(
        SandboxRun(
            checkout=checkout,
            argv=("sh", "-c", given["command"]),
            timeout=timeout,
            memory_mb=memory_mb,
            processes=processes,
        )
    )
    return shown(ended, timeout), False


def shown(ended: SandboxResult, timeout: float) -> str:
    """A result as the model reads it: how it ended first, then the output, clipped to SHOWN_BYTES with the whole output's digest."""
    if ended.killed == "timeout":
        end = f"killed after {timeout:.0f} s (timeout)"
    elif ended.killed:
        end = f"killed: {ended.killed} limit"
    else:
        end = f"exit code {ended.exit_code}"
    text = ended.output.decode(errors="replace")
    total = len(ended.output) + ended.clipped
    if len(ended.output) > SHOWN_BYTES:
        half = SHOWN_BYTES // 2
        head, tail = (part.decode(errors="replace") for part in (ended.output[:half], ended.output[-half:]))
        text = (
            f"{head}\n[… {total - 2 * half} of {total} bytes left out; sha256 of all {ended.output_sha256} …]\n{tail}"
        )
    return f"[{end}, {ended.seconds:.1f} s]\n{text}"
