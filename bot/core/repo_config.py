"""A repository's `.github/agent.yml` as frozen data, with every default. Reading the file is in core/repo_config_file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.core.evidence import VerifyCommand
from bot.core.review import Severity

MinimumRole = Literal["write", "maintain", "admin"]


@dataclass(frozen=True, slots=True)
class TriggerLabels:
    """The three command labels by what they ask for."""

    run: str = "agent"
    spec: str = "agent:spec"
    skip: str = "agent:skip"


@dataclass(frozen=True, slots=True)
class Trigger:
    """`roles` is the least role that may start a run; it can only be raised above write."""

    labels: TriggerLabels = field(default_factory=TriggerLabels)
    roles: MinimumRole = "write"


@dataclass(frozen=True, slots=True)
class Approval:
    required: bool = False
    not_author: bool = False


@dataclass(frozen=True, slots=True)
class SpecOptions:
    """`sections` are titles that every spec must have besides ours; `template` and `commit_to` are paths in the repository."""

    sections: tuple[str, ...] = ()
    template: str = ""
    commit_to: str = ""


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    rounds: int = 3
    block_on: tuple[Severity, ...] = ("blocker", "major")
    same_vendor: Literal["warn", "forbid"] = "warn"
    vendor_down: Literal["wait", "same_vendor"] = "wait"
    quorum: int = 1


@dataclass(frozen=True, slots=True)
class Work:
    """`setup` is a shell command of the install phase; `timeout` is in seconds a task."""

    max_parallel: int = 2
    setup: str = ""
    timeout: int = 3600
    hot_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PullRequests:
    delivery: Literal["per_line", "single"] = "per_line"
    draft_until_green: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """One declared verify command; `timeout` in seconds."""

    name: str
    run: str
    timeout: int = 600
    network: Literal["none"] = "none"


@dataclass(frozen=True, slots=True)
class Verify:
    commands: tuple[Command, ...] = ()
    baseline: bool = True

    @property
    def declared(self) -> tuple[VerifyCommand, ...]:
        """The commands as evidence names them."""
        return tuple(VerifyCommand(one.name, one.run, one.timeout, declared=True) for one in self.commands)


@dataclass(frozen=True, slots=True)
class FollowUpCi:
    attempts: int = 2


@dataclass(frozen=True, slots=True)
class FollowUp:
    reviews: Literal["auto", "off"] = "auto"
    ci: FollowUpCi = field(default_factory=FollowUpCi)
    conflicts: Literal["auto", "off"] = "auto"
    rounds: int = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """Money in dollars, `wall` in seconds. Use the `_micros` properties wherever money is counted."""

    usd_per_run: float = 5.0
    usd_per_issue: float = 15.0
    usd_per_day: float = 50.0
    usd_per_user_day: float = 25.0
    files: int = 100
    patch_kb: int = 4096
    wall: int = 4 * 3600

    @property
    def run_micros(self) -> int:
        """The cap of one run."""
        return round(self.usd_per_run * 1_000_000)

    @property
    def issue_micros(self) -> int:
        """The cap of all runs on one issue."""
        return round(self.usd_per_issue * 1_000_000)

    @property
    def day_micros(self) -> int:
        """The cap of the repository a day."""
        return round(self.usd_per_day * 1_000_000)

    @property
    def user_day_micros(self) -> int:
        """The cap of one requester a day."""
        return round(self.usd_per_user_day * 1_000_000)


@dataclass(frozen=True, slots=True)
class Protect:
    """Globs besides the paths that are always protected, and what happens to a change there."""

    paths: tuple[str, ...] = ()
    policy: Literal["deny", "hold", "warn"] = "hold"


@dataclass(frozen=True, slots=True)
class Network:
    """`host` or `host:port` that the install phase may reach."""

    install: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compliance:
    """Globs or words that make a change sensitive, for the reviewer's eye."""

    sensitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """Everything a repository may say; `RepoConfig()` is a repository that says nothing."""

    version: Literal[1] = 1
    trigger: Trigger = field(default_factory=Trigger)
    approval: Approval = field(default_factory=Approval)
    spec: SpecOptions = field(default_factory=SpecOptions)
    review: ReviewOptions = field(default_factory=ReviewOptions)
    evidence: Literal["branch", "link", "off"] = "branch"
    work: Work = field(default_factory=Work)
    pull_requests: PullRequests = field(default_factory=PullRequests)
    verify: Verify = field(default_factory=Verify)
    follow_up: FollowUp = field(default_factory=FollowUp)
    limits: Limits = field(default_factory=Limits)
    protect: Protect = field(default_factory=Protect)
    network: Network = field(default_factory=Network)
    compliance: Compliance = field(default_factory=Compliance)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The server's own limits, which no repository can raise; None is no ceiling. Same units as `Limits`."""

    usd_per_run: float | None = None
    usd_per_issue: float | None = None
    usd_per_day: float | None = None
    usd_per_user_day: float | None = None
    files: int | None = None
    patch_kb: int | None = None
    wall: int | None = None
    workers: int | None = None
    rounds: int | None = None


def clamp(config: RepoConfig, ceilings: Ceilings) -> RepoConfig:
    """`config` with every limit lowered to the server's ceiling where it was above it."""
    limits = config.limits
    return replace(
        config,
        limits=Limits(
            usd_per_run=_at_most(limits.usd_per_run, ceilings.usd_per_run),
            usd_per_issue=_at_most(limits.usd_per_issue, ceilings.usd_per_issue),
            usd_per_day=_at_most(limits.usd_per_day, ceilings.usd_per_day),
            usd_per_user_day=_at_most(limits.usd_per_user_day, ceilings.usd_per_user_day),
            files=int(_at_most(limits.files, ceilings.files)),
            patch_kb=int(_at_most(limits.patch_kb, ceilings.patch_kb)),
            wall=int(_at_most(limits.wall, ceilings.wall)),
        ),
        work=replace(config.work, max_parallel=int(_at_most(config.work.max_parallel, ceilings.workers))),
        review=replace(config.review, rounds=int(_at_most(config.review.rounds, ceilings.rounds))),
    )


def _at_most(value: float, ceiling: float | None) -> float:
    return value if ceiling is None else min(value, ceiling)


def ceilings_of(values: Mapping[str, str]) -> Ceilings:
    """Ceilings from `JOURNEYMAN_LIMITS` split at its commas; raises ValueError with one sentence for a wrong name or number."""
    known: dict[str, float | int] = {}
    for name, text in values.items():
        if name not in Ceilings.__slots__:
            raise ValueError(f"{name} is no limit; the limits are {', '.join(Ceilings.__slots__)}")
        try:
            number = float(text) if name.startswith("usd_") else int(text)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {text!r}") from None
        if not 0 < number < 1e12:
            raise ValueError(f"{name} must be above zero")
        known[name] = number
    return replace(Ceilings(), **known)
