"""The prompts, as data: one folder a role and step, one immutable file a version.

A file has two parts. Above the line `=== user ===` is the system prompt: sent as it stands, never filled in, so that a vendor's cache
keeps it. Below is the user turn, a `string.Template`: values are put in once and never read again, so no text can become a placeholder.
"""

import hashlib
import string
from dataclasses import dataclass
from importlib import resources

MARK = "\n=== user ===\n"
NAMES = ("spec/draft", "spec/revise", "review/challenge", "coordinator/plan", "work/task")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it lies in its file; `sha256` is over the file's bytes."""

    text: str
    sha256: str

    @property
    def system(self) -> str:
        """The system prompt; its first line is `journeyman:<role>/<step>@<version>`."""
        return self.text.partition(MARK)[0].strip() + "\n"

    @property
    def template(self) -> string.Template:
        """The user turn with its placeholders."""
        return string.Template(self.text.partition(MARK)[2].strip() + "\n")

    @property
    def inputs(self) -> frozenset[str]:
        """Names that `render` demands, all of them and no others."""
        return frozenset(self.template.get_identifiers())


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent: the system prompt and the first user turn."""

    system: str
    user: str


class PromptInputs(ValueError):
    """The inputs given are not exactly those that the prompt names: a mistake in our code."""


def load(name: str, version: str = "v1") -> Prompt:
    """The prompt `spec/draft` at a version. Raises KeyError for a name that is not ours."""
    if name not in NAMES:
        raise KeyError(name)
    data = resources.files(__name__).joinpath(*name.split("/"), f"{version}.md").read_bytes()
    return Prompt(data.decode(), hashlib.sha256(data).hexdigest())


def render(prompt: Prompt, **inputs: str) -> Rendered:
    """Fill in the user turn. Raises PromptInputs where an input is missing or not asked for."""
    given = frozenset(inputs)
    if given != prompt.inputs:
        missing, extra = sorted(prompt.inputs - given), sorted(given - prompt.inputs)
        raise PromptInputs(f"missing: {missing}; not asked for: {extra}")
    return Rendered(prompt.system, prompt.template.substitute(inputs))


def locked() -> dict[str, str]:
    """What `prompts.lock` says: file -> sha256. A version that was released never changes; a change is a new version."""
    lines = resources.files(__name__).joinpath("prompts.lock").read_text().splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines if line)}
