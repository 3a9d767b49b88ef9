"""The engine's own commit messages."""

from bot.core.text import defang


def message(
    subject: str,
    *,
    run_id: str,
    spec_sha256: str,
    task_id: str = "",
    why: str = "",
    co_author: str = "",
    skip_ci: bool = False,
) -> str:
    """Subject, reason, trailers. `co_author` is a login; `skip_ci` holds the repository's CI back (SECURITY.md 25)."""
    trailers = [f"Agent-Run: {run_id}", f"Agent-Spec: {spec_sha256}"]
    if task_id:
        trailers.append(f"Agent-Task: {task_id}")
    if co_author:
        trailers.append(f"Co-authored-by: {identity(co_author)}")
    head = f"{defang.plain(subject, 72) or 'Change'}{' [skip ci]' if skip_ci else ''}"
    parts = [head, defang.paragraph(why).strip(), "\n".join(trailers)]
    return "\n\n".join(part for part in parts if part) + "\n"


def identity(login: str, user_id: int = 0) -> str:
    """`maria <7+maria@users.noreply.github.com>`: GitHub's private address, which it links to the account."""
    name = "".join(char for char in login if char.isascii() and (char.isalnum() or char in "-_[]"))
    return f"{name} <{f'{user_id}+' if user_id else ''}{name}@users.noreply.github.com>"
