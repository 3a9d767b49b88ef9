"""What the bot says at the door: about labels and commands, one plain sentence each."""

AVAILABLE = ("spec", "refine", "approve", "answer", "waive", "stop", "pause", "resume", "retry", "status", "help")
"""The verbs that work in this version, in the order in which they are named to people."""


def not_available(verb: str) -> str:
    """A verb of the grammar that this version can't carry out."""
    return f"`/agent {verb}` is not available in this version; available are {_listed(AVAILABLE)}."


def issues_only(verb: str) -> str:
    """A verb about a spec, said on a pull request."""
    return f"`/agent {verb}` works on issues, not on pull requests; say it on the issue that this pull request is for."


def label_on_pull_request(label: str) -> str:
    """A command label put on a pull request."""
    return f"The label `{label}` starts work from an issue and does nothing on a pull request; put it on the issue instead."


def _listed(verbs: tuple[str, ...]) -> str:
    quoted = [f"`{verb}`" for verb in verbs]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
