"""Does a spec stand on the repository as it is? Checked in code, at no cost, before any reviewer reads it."""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.core.evidence import VerifyCommand
from bot.core.globs import is_glob, matched, stem
from bot.core.spec import Change, Requirement, Spec

TextAt = Callable[[str], str | None]
WHERE = re.compile(r"`?(?P<path>[^\s:`][^:`]*?)(?::(?P<line>\d+)(?:-\d+)?)?`?")
CODE = re.compile(r"`([^`\n]{1,200})`")
PATHLIKE = re.compile(r"(?:[\w.@+-]+/)+[\w.@+-]+\.[A-Za-z0-9]{1,8}(?::\d+(?:-\d+)?)?")


def check(
    spec: Spec,
    paths: set[str],
    text_at: TextAt,
    commands: Sequence[VerifyCommand],
    other_open_paths: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    """What is not so, one sentence each; empty when the spec stands.

    `paths` are the files at the base SHA, `text_at` gives the text of one (None where there is none), `commands` are the only ones that may
    verify, `other_open_paths` maps another open pull request of ours (`#57`) to the paths that it changes.
    """
    folders = _folders(paths)
    problems = [sentence for change in spec.changes for sentence in _change(change, paths, folders)]
    problems += [sentence for item in spec.requirements for sentence in _source(item, paths, text_at)]
    for item in spec.conventions:
        problems += _where(item.where, f"The convention “{item.rule[:80]}”", paths, text_at)
    problems += _prose(spec, paths, folders, text_at)
    problems += _commands(spec, commands)
    problems += _overlap(spec, other_open_paths)
    return tuple(dict.fromkeys(problems))


def cited_files(spec: Spec, paths: set[str]) -> tuple[str, ...]:
    """Existing files whose text `check` will ask for: read them first, `text_at` is not async."""
    wheres = [item.where for item in spec.conventions] + [item.source_ref for item in spec.requirements]
    found = {match["path"] for where in wheres if (match := WHERE.fullmatch(where.strip()))}
    found |= {cited.split(":")[0] for cited in _cited(spec)}
    return tuple(sorted(found & paths))


def _folders(paths: set[str]) -> set[str]:
    out: set[str] = set()
    for path in paths:
        while "/" in path:
            path = path.rsplit("/", 1)[0]
            if path in out:
                break
            out.add(path)
    return out


def _change(change: Change, paths: set[str], folders: set[str]) -> list[str]:
    if is_glob(change.path):
        return _glob_change(change, folders)
    if change.kind == "create" and change.path in paths:
        return [f"`{change.path}` is to be created but exists already: modify it, or choose another path."]
    if change.kind == "create" and change.path in folders:
        return [f"`{change.path}` is to be created as a file but is a folder already."]
    if change.kind != "create" and change.path not in paths:
        what = "modified" if change.kind == "modify" else "deleted"
        hint = " It is a folder: name its files, or a pattern." if change.path.rstrip("/") in folders else ""
        return [f"`{change.path}` is to be {what} but does not exist at the base commit.{hint}"]
    return []


def _glob_change(change: Change, folders: set[str]) -> list[str]:
    """A pattern is fine for new files; what exists has to be named by file, or nobody can tell what will change."""
    folder = stem(change.path)
    if change.kind != "create" and folder not in folders:
        return [f"`{change.path}` matches nothing at the base commit."]
    if change.kind == "create" and not folder:
        return [f"`{change.path}` would let anything be created; name the files or their folder."]
    return []


def _source(item: Requirement, paths: set[str], text_at: TextAt) -> list[str]:
    if item.source not in ("convention", "repo"):
        return []
    return _where(item.source_ref, f"{item.id}", paths, text_at)


def _where(where: str, who: str, paths: set[str], text_at: TextAt) -> list[str]:
    match = WHERE.fullmatch(where.strip())
    if not match or (" " in match["path"] and match["path"] not in paths):
        return [f"{who} does not say where it stands as `path:line`, but “{where[:80]}”."]
    path = match["path"]
    if path not in paths:
        return [f"{who} cites `{path}`, which does not exist at the base commit."]
    return _line(who, path, int(match["line"] or 0), text_at)


def _line(who: str, path: str, line: int, text_at: TextAt) -> list[str]:
    if not line:
        return []
    text = text_at(path)
    if text is None:
        return [f"{who} cites `{path}:{line}`, and that file can't be read as text."]
    count = len(text.splitlines())
    if line > count:
        return [f"{who} cites `{path}:{line}`, but the file has {count} lines."]
    return []


def _cited(spec: Spec) -> list[str]:
    """Paths in backticks in the design sections, in the order of the spec."""
    prose = "\n".join(
        (spec.modules, spec.data_model, spec.routes, spec.events, spec.rbac, spec.caching, spec.edge_cases)
    )
    prose += "\n".join((spec.consent_privacy, spec.migration, spec.rollback, spec.problem))
    return [code for code in CODE.findall(prose) if PATHLIKE.fullmatch(code)]


def _prose(spec: Spec, paths: set[str], folders: set[str], text_at: TextAt) -> list[str]:
    made = [change.path for change in spec.changes if change.kind == "create"]
    problems = []
    for cited in _cited(spec):
        path, _, line = cited.partition(":")
        if path in paths:
            problems += _line("The design", path, int(line.split("-")[0] or 0) if line else 0, text_at)
        elif path not in folders and not _new(path, made):
            problems.append(
                f"The design cites `{path}`, which neither exists at the base commit nor is in `changes` as new."
            )
    return problems


def _new(path: str, made: Sequence[str]) -> bool:
    # A shortened path (`api/public.ts` for `modules/leads/api/public.ts`) is how people write; it is no invention.
    return bool(matched(made, [path])) or any(item.endswith(f"/{path}") for item in made)


def _commands(spec: Spec, commands: Sequence[VerifyCommand]) -> list[str]:
    allowed = {" ".join(item.run.split()) for item in commands}
    if not spec.verification and allowed:
        return ["The verification plan names no command, though the repository has some."]
    return [
        f"The verification command `{item[:120]}` is not one of the repository's: {_names(sorted(allowed))}."
        for item in spec.verification
        if item.strip("`") not in allowed
    ]


def _names(allowed: Sequence[str]) -> str:
    return ", ".join(f"`{item}`" for item in allowed[:12]) or "it has none, so the list must be empty"


def _overlap(spec: Spec, other_open_paths: Mapping[str, Sequence[str]]) -> list[str]:
    mine = [change.path for change in spec.changes]
    problems = []
    for pull, theirs in other_open_paths.items():
        shared = sorted(matched(mine, theirs))
        if shared:
            names = ", ".join(f"`{path}`" for path in shared[:8])
            problems.append(f"{pull}, which is still open, changes the same paths: {names}.")
    return problems
