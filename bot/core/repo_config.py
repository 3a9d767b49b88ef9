"""A repository's `.github/agent.yml` as frozen data, with every default. Reading the file is in core/repo_config_file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from bot.core.evidence import VerifyCommand
from bot.core.review import Severity

MinimumRole = Literal["write", "maintain", "admin"]
STATE_LABEL = "agent/"
"""What every state label begins with; no command label may."""


def _seconds(value: object) -> object:
    given = re.fullmatch(r"([0-9]{1,6})\s*([smh])", value, re.ASCII) if isinstance(value, str) else None
    if isinstance(value, str) and not given:
        raise ValueError("must be a time such as 90s, 30m or 4h")
    return int(given[1]) * {"s": 1, "m": 60, "h": 3600}[given[2]] if given else value


def _inside(path: str) -> str:
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise ValueError("must be a path inside the repository")
    return path


Text = Annotated[str, Field(max_length=4_000)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n\x00]*$")]
Lines = Annotated[tuple[Line, ...], Field(max_length=200)]
Seconds = Annotated[int, BeforeValidator(_seconds), Field(ge=1, le=24 * 3600)]
PathInside = Annotated[str, Field(max_length=300), AfterValidator(_inside)]
Dollars = Annotated[float, Field(gt=0, le=100_000)]
Host = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$")]
LabelName = Annotated[str, Field(min_length=1, max_length=50)]


@dataclass(frozen=True, slots=True)
class TriggerLabels:
    """The three command labels by what they ask for."""

    run: LabelName = "agent"
    spec: LabelName = "agent:spec"
    skip: LabelName = "agent:skip"

    def meaning(self, label: str) -> Literal["run", "spec", "skip", "state"] | None:
        """What a label means to us; GitHub's label names are the same in any case."""
        name = label.casefold()
        if name.startswith(STATE_LABEL):
            return "state"
        if name == self.skip.casefold():
            return "skip"
        if name == self.run.casefold():
            return "run"
        return "spec" if name == self.spec.casefold() else None


def _distinct(labels: TriggerLabels) -> TriggerLabels:
    names = [labels.run, labels.spec, labels.skip]
    if [labels.meaning(name) for name in names] != ["run", "spec", "skip"]:
        raise ValueError(f"must be three different names, none of which begins with {STATE_LABEL}")
    return labels


@dataclass(frozen=True, slots=True)
class Trigger:
    """`roles` is the least role that may start a run; it can only be raised above write."""

    labels: Annotated[TriggerLabels, AfterValidator(_distinct)] = field(default_factory=TriggerLabels)
    roles: MinimumRole = "write"


@dataclass(frozen=True, slots=True)
class Approval:
    required: bool = False
    not_author: bool = False


@dataclass(frozen=True, slots=True)
class SpecOptions:
    """`sections` are titles that every spec must have besides ours; `template` and `commit_to` are paths in the repository."""

    sections: Lines = ()
    template: PathInside = ""
    commit_to: PathInside = ""


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    rounds: Annotated[int, Field(ge=1, le=10)] = 3
    block_on: Annotated[tuple[Severity, ...], Field(max_length=4)] = ("blocker", "major")
    same_vendor: Literal["warn", "forbid"] = "warn"
    vendor_down: Literal["wait", "same_vendor"] = "wait"
    quorum: Annotated[int, Field(ge=1, le=3)] = 1


@dataclass(frozen=True, slots=True)
class Work:
    """`setup` is a shell command of the install phase; `timeout` is in seconds a task."""

    max_parallel: Annotated[int, Field(ge=1, le=32)] = 2
    setup: Text = ""
    timeout: Seconds = 3600
    hot_files: Lines = ()


@dataclass(frozen=True, slots=True)
class PullRequests:
    delivery: Literal["per_line", "single"] = "per_line"
    draft_until_green: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """One declared verify command; `timeout` in seconds."""

    name: Line
    run: Annotated[str, Field(min_length=1, max_length=4_000)]
    timeout: Seconds = 600
    network: Literal["none"] = "none"


@dataclass(frozen=True, slots=True)
class Verify:
    commands: Annotated[tuple[Command, ...], Field(max_length=50)] = ()
    baseline: bool = True

    @property
    def declared(self) -> tuple[VerifyCommand, ...]:
        """The commands as evidence names them."""
        return tuple(VerifyCommand(one.name, one.run, one.timeout, declared=True) for one in self.commands)


@dataclass(frozen=True, slots=True)
class FollowUpCi:
    attempts: Annotated[int, Field(ge=0, le=10)] = 2


@dataclass(frozen=True, slots=True)
class FollowUp:
    reviews: Literal["auto", "off"] = "auto"
    ci: FollowUpCi = field(default_factory=FollowUpCi)
    conflicts: Literal["auto", "off"] = "auto"
    rounds: Annotated[int, Field(ge=0, le=50)] = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """Money in dollars, `wall` in seconds. Use the `_micros` properties wherever money is counted."""

    usd_per_run: Dollars = 5.0
    usd_per_issue: Dollars = 15.0
    usd_per_day: Dollars = 50.0
    usd_per_user_day: Dollars = 25.0
    files: Annotated[int, Field(ge=1, le=100_000)] = 100
    patch_kb: Annotated[int, Field(ge=1, le=1_048_576)] = 4096
    wall: Annotated[int, BeforeValidator(_seconds), Field(ge=60, le=7 * 24 * 3600)] = 4 * 3600

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

    paths: Lines = ()
    policy: Literal["deny", "hold", "warn"] = "hold"


@dataclass(frozen=True, slots=True)
class Network:
    """`host` or `host:port` that the install phase may reach."""

    install: Annotated[tuple[Host, ...], Field(max_length=50)] = ()


@dataclass(frozen=True, slots=True)
class Compliance:
    """Globs or words that make a change sensitive, for the reviewer's eye."""

    sensitive: Lines = ()


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """Everything a repository may say; `RepoConfig()` is a repository that says nothing."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    """Holds for every class below too; it only matters where a file is read."""

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
