"""The spec comment: title line, spec, review, older revisions (INTERFACE.md)."""

from bot.core.budget import Spend, dollars
from bot.core.ids import sha256
from bot.core.run import Revision, Run
from bot.core.spec import SECTIONS, Spec
from bot.core.text import defang
from bot.core.text import review as reviews
from bot.core.text.figures import listed, plural, short, vendor
from bot.core.text.fit import LIMIT, Part, fit
from bot.core.text.markdown import code, details, labelled, table


def digest(spec: Spec) -> str:
    """The hash that names a revision: over the rendered spec, without title line, review and marker."""
    return sha256(body(spec))


def body(spec: Spec) -> str:
    """The spec itself, every section."""
    return "\n\n".join(part.text for part in _sections(spec))


def spec_comment(run: Run, spend: Spend, *, limit: int = LIMIT) -> str | None:
    """The whole comment without its marker, or None before the first revision."""
    revision = run.revision
    if revision is None:
        return None
    parts = [Part(f"## Spec for #{run.issue}: {defang.line(revision.spec.title, 200)}\n{_title(run, revision, spend)}")]
    parts += _sections(revision.spec)
    if revision.grounding:
        found = "\n".join(f"- {defang.line(each)}" for each in revision.grounding)
        parts.append(Part(f"### Not found in the repository\n{found}", 1, "what was not found in the repository"))
    if revision.review:
        parts.append(Part(_review(revision), 1, "the review"))
    for older, newer in zip(reversed(run.revisions[:-1]), reversed(run.revisions[1:]), strict=True):
        parts.append(Part(_older(older, newer), 9, f"revision {older.number}"))
    return fit(parts, limit)


def _title(run: Run, revision: Revision, spend: Spend) -> str:
    by = f"drafted by {vendor(revision.author_model)}"
    review = revision.review
    said = [f"Revision **{revision.number}** ({code(short(revision.sha256))})"]
    if review:
        said.append(f"{by}, {reviews.reviewed_by(review)}")
        said.append(f"**verdict: {reviews.verdict(review)}** after {plural(review.rounds, 'round')}")
    else:
        said += [by, "review under way" if run.state.kind == "Drafting" else "not reviewed"]
    said.append(f"base {code(short(revision.base_sha))}")
    if micros := sum(each for role, _, each in spend.by_role if role == "spec"):
        said.append(f"{dollars(micros)} to draft")
    if revision.approved_by:
        said.append(f"approved by {defang.line(revision.approved_by, 60)}")
    return " · ".join(said)


def _sections(spec: Spec) -> list[Part]:
    parts = [
        Part(labelled("TL;DR", defang.block(spec.tldr, 1_500))),
        Part(labelled("Problem", defang.block(spec.problem, 3_000)), 2, "Problem"),
    ]
    goals = "; ".join(defang.line(goal, 300).rstrip(".;") for goal in spec.non_goals)
    parts.append(
        Part(f"**Non-goals.** {goals + '.' if goals else 'none, because the issue names none.'}", 2, "Non-goals")
    )
    parts.append(Part(f"### Requirements\n{_requirements(spec)}"))
    design = [("### Design\n" if index == 0 else "") + _design(spec, *each) for index, each in enumerate(SECTIONS[:-1])]
    titles = [title for _, title in SECTIONS[:-1]]
    parts += [Part(text, 3, title) for text, title in zip(design, titles, strict=True)]
    parts.append(Part(f"**Changes.** {_changes(spec)}", 1, "Changes"))
    parts.append(Part(f"**Risks.** {_risks(spec)}", 2, "Risks"))
    parts.append(Part(_design(spec, *SECTIONS[-1]), 2, SECTIONS[-1][1]))
    plan = " · ".join(defang.span(step) for step in spec.verification)
    parts.append(
        Part(f"### Verification plan\n{plan or 'none, because no command was found.'}", 1, "Verification plan")
    )
    if spec.assumptions:
        parts.append(Part(f"### Assumptions\n{_assumptions(spec)}", 1, "Assumptions"))
    if spec.conventions:
        parts.append(Part(f"### Conventions followed\n{_conventions(spec)}", 4, "Conventions followed"))
    return parts


def _design(spec: Spec, name: str, title: str) -> str:
    text = defang.block(getattr(spec, name), 4_000).strip()
    return labelled(title, text or "none, because the spec says nothing of it.")


def _requirements(spec: Spec) -> str:
    rows = []
    for each in spec.requirements:
        accepted = " · ".join(f"{defang.ident(item.id)} {defang.line(item.text, 300)}" for item in each.criteria)
        source = defang.span(each.source_ref) if each.source_ref else each.source
        rows.append((defang.ident(each.id), defang.line(each.text), accepted, source))
    return table(("id", "requirement", "accepted when", "from"), rows)


def _changes(spec: Spec) -> str:
    said = [f"{each.kind} {defang.span(each.path)} ({defang.line(each.why, 160)})" for each in spec.changes]
    return " · ".join(said) or "none, because nothing is to be changed."


def _risks(spec: Spec) -> str:
    said = [
        f"{defang.line(each.text, 300).rstrip('.')} ({each.severity}): {defang.line(each.mitigation, 300).rstrip('.')}."
        for each in spec.risks
    ]
    return " ".join(said) or "none, because the change is small."


def _assumptions(spec: Spec) -> str:
    rows = []
    for each in spec.assumptions:
        needs = "yes" if each.needs_person else "no"
        if each.answer:
            needs = f"answered: {defang.line(each.answer, 300)}"
        rows.append((defang.ident(each.id), defang.line(each.text, 300), "yes" if each.reversible else "no", needs))
    return table(("id", "assumed", "reversible", "needs you"), rows)


def _conventions(spec: Spec) -> str:
    rows = (
        (defang.line(each.rule, 300), defang.span(each.where), defang.line(each.status, 120))
        for each in spec.conventions
    )
    return table(("rule", "where", "status"), rows)


def _review(revision: Revision) -> str:
    review = revision.review
    if review is None:
        return ""
    if not review.findings:
        return f"Review: {reviews.summary(review)}."
    text = reviews.findings_table(review)
    if review.not_applicable:
        text += f"\n\nNot applicable: {'; '.join(defang.line(each, 160) for each in review.not_applicable)}."
    found = plural(len(review.findings), "finding")
    folded = details(f"Review: {found} ({reviews.counts(review)})", text)
    blocking = reviews.blocking(review)
    if not blocking:
        return folded
    lines = "\n".join(
        f"- **{defang.ident(each.id)}** ({each.severity}): {defang.line(each.claim)}" for each in blocking
    )
    return f"### Open findings\n{lines}\n\n{folded}"


def _older(older: Revision, newer: Revision) -> str:
    said = f"Changed in revision {newer.number}: {_difference(older.spec, newer.spec)}."
    if older.review:
        said += f" Revision {older.number} was {reviews.summary(older.review)}."
    summary = f"Revision {older.number} ({code_html(short(older.sha256))}), and what changed"
    return details(summary, f"{said}\n\n{body(older.spec)}")


def code_html(text: str) -> str:
    """A code span where Markdown is not read: inside a summary."""
    return f"<code>{text}</code>"


def _difference(old: Spec, new: Spec) -> str:
    before = {defang.ident(each.id): each for each in old.requirements}
    after = {defang.ident(each.id): each for each in new.requirements}
    said = []
    if added := [key for key in after if key not in before]:
        said.append(f"{listed(added)} added")
    if gone := [key for key in before if key not in after]:
        said.append(f"{listed(gone)} removed")
    if changed := [key for key in after if key in before and after[key] != before[key]]:
        said.append(f"{listed(changed)} changed")
    names = [title for name, title in SECTIONS if getattr(old, name) != getattr(new, name)]
    for name, title in (("changes", "Changes"), ("risks", "Risks"), ("verification", "Verification plan")):
        if getattr(old, name) != getattr(new, name):
            names.append(title)
    if names:
        said.append(f"sections rewritten: {', '.join(names)}")
    return "; ".join(said) or "wording only"
