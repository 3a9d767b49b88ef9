"""Specs, reviews and lists as the plain text that a model reads. A reviewer's quotes are checked against exactly this text."""

from collections.abc import Mapping, Sequence

from bot.core.evidence import VerifyCommand
from bot.core.review import Finding
from bot.core.spec import SECTIONS, Spec


def spec_text(spec: Spec) -> str:
    """The whole spec, one statement a line, in the order in which it is published; the same spec gives the same bytes."""
    parts = [f"# {spec.title}", f"TL;DR: {spec.tldr}", f"Problem: {spec.problem}", "## Non-goals"]
    parts += _list(spec.non_goals)
    parts.append("## Requirements")
    for item in spec.requirements:
        source = f"{item.source} {item.source_ref}".strip()
        parts.append(f"{item.id}: {item.text} [from: {source}]")
        parts += [f"  {criterion.id}: {criterion.text}" for criterion in item.criteria]
    for name, title in SECTIONS:
        parts += [f"## {title}", getattr(spec, name)]
    parts.append("## Changes")
    parts += _list([f"{item.kind} {item.path}: {item.why}" for item in spec.changes])
    parts.append("## Risks")
    parts += _list([f"{item.text} ({item.severity}); mitigation: {item.mitigation}" for item in spec.risks])
    parts.append("## Verification")
    parts += _list(spec.verification)
    parts.append("## Assumptions")
    parts += _list(assumptions(spec))
    parts.append("## Conventions followed")
    parts += _list([f"{item.rule} [{item.where}]: {item.status}" for item in spec.conventions])
    return "\n".join(parts) + "\n"


def assumptions(spec: Spec) -> list[str]:
    """One line an assumption, with the answer of a person where there is one."""
    out = []
    for item in spec.assumptions:
        state = "reversible" if item.reversible else "not reversible"
        needs = "needs a person" if item.needs_person else "default chosen"
        answer = f"; settled by a person: {item.answer}" if item.answer else ""
        out.append(f"{item.id}: {item.text} ({state}; {needs}{answer})")
    return out


def findings_text(findings: Sequence[Finding]) -> str:
    """Findings with all that the other side needs to judge them; `none` where there are none."""
    parts = []
    for item in findings:
        where = f"{item.path}:{item.line}" if item.path else "the spec"
        parts.append(f"{item.id} · {item.severity} · {item.dimension} · {item.status} · round {item.round}")
        parts.append(f"  claim: {item.claim}")
        parts.append(f"  scenario: {item.scenario or 'none given'}")
        parts.append(f"  evidence: {where}: {item.quote or 'none given'}{'' if item.verified else ' (unverified)'}")
        if item.decision:
            parts.append(f"  decision: {item.decision}")
    return "\n".join(parts) or "none"


def commands_text(commands: Sequence[VerifyCommand]) -> str:
    """The only commands that a spec or a plan may verify with, one a line."""
    return "\n".join(
        f"- `{item.run}` ({'declared' if item.declared else 'found'}: {item.name})" for item in commands
    ) or ("none: the repository declares no command and none was found")


def files_text(files: Mapping[str, str], limit: int = 80_000) -> str:
    """Files with their line numbers, whole lines up to `limit` characters in all; what does not fit is named."""
    parts: list[str] = []
    cut: list[str] = []
    for path, text in files.items():
        lines = text.splitlines()
        shown = [f"{number}| {line[:400]}" for number, line in enumerate(lines, 1)]
        while shown and len(path) + sum(len(line) + 1 for line in shown) > limit:
            shown = shown[: len(shown) // 2]
        if len(shown) < len(lines):
            cut.append(f"{path} ({len(shown)} of {len(lines)} lines shown)")
        section = "\n".join([f"--- {path}", *shown])
        limit -= len(section)
        parts.append(section)
    if cut:
        parts.append(f"Cut for length: {'; '.join(cut)}.")
    return "\n".join(parts) or "none"


def sentences(items: Sequence[str]) -> str:
    """A list of sentences, or `none`."""
    return "\n".join(f"- {item}" for item in items) or "none"


def _list(items: Sequence[str]) -> list[str]:
    return [f"- {item}" for item in items] or ["none"]
