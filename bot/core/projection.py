"""What was last published for an issue, so that the publisher does only what differs."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Published:
    """A thing of ours on GitHub: its id, the hash of what it says, and how often it was made (a deleted comment is made again)."""

    id: int = 0
    hash: str = ""
    made: int = 0


@dataclass(frozen=True, slots=True)
class PublishedPull:
    """A pull request as we left it."""

    number: int
    hash: str
    draft: bool


@dataclass(frozen=True, slots=True)
class Projection:
    """One issue's row. `published_at` is in seconds since the epoch; `urgent` is the view's word of the last publication."""

    run_id: str = ""
    status: Published = Published()
    spec: Published = Published()
    attention: Published = Published()
    stale: tuple[int, ...] = ()
    """Mention comments that were replaced and are still to be deleted."""
    label: str = ""
    pulls: dict[str, PublishedPull] = field(default_factory=dict)
    checks: dict[str, Published] = field(default_factory=dict)
    reactions: tuple[str, ...] = ()
    urgent: str = ""
    calm: int = 0
    """Publications in a row in which nothing urgent had changed."""
    published_at: float = 0.0
