"""Every answer has the shape that GitHub's own description gives it."""

import json
from dataclasses import dataclass, field
from typing import Any

import githubkit_schemas.v2026_03_10.models as models
from pydantic import TypeAdapter, ValidationError

from bot.playground.app import MODULES
from tests.playground.scene import Scene

Event = models.LabeledIssueEvent | models.UnlabeledIssueEvent | models.RenamedIssueEvent


@dataclass
class Described:
    """Asks, and holds each answer against the description's model; None means an answer without a body."""

    scene: Scene
    problems: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, who: str, method: str, path: str, model: Any, body: Any = None, *, status: int = 200) -> Any:
        answer = self.scene.ask(who, method, path, body)
        what = f"{method} {path}"
        if answer.status_code != status:
            self.problems.append(f"{what}: {answer.status_code}, not {status}: {answer.text}")
            return {}
        self.seen.add((method, path))
        if model is None:
            if answer.content:
                self.problems.append(f"{what}: a body where there is none")
            return {}
        try:
            TypeAdapter(model).validate_json(answer.content)
        except ValidationError as error:
            rows = [f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors()[:5]]
            self.problems.append(f"{what}: {rows}")
        return json.loads(answer.content)


def _issues(ask: Described) -> None:
    ask("alice", "POST", "/issues", models.Issue, {"title": "A bug", "body": "It fails."}, status=201)
    ask("bot", "GET", "/issues", list[models.Issue])
    ask("bot", "GET", "/issues/1", models.Issue)
    ask("alice", "PATCH", "/issues/1", models.Issue, {"title": "A bug indeed", "assignees": ["alice"]})
    comment = ask("bot", "POST", "/issues/1/comments", models.IssueComment, {"body": "Seen."}, status=201)
    one = f"/issues/comments/{comment['id']}"
    ask("bot", "GET", "/issues/1/comments", list[models.IssueComment])
    ask("bot", "GET", one, models.IssueComment)
    ask("bot", "PATCH", one, models.IssueComment, {"body": "Seen twice."})
    for target in ("/issues/1", one):
        made = ask("bot", "POST", f"{target}/reactions", models.Reaction, {"content": "eyes"}, status=201)
        ask("bot", "POST", f"{target}/reactions", models.Reaction, {"content": "eyes"})
        ask("bot", "GET", f"{target}/reactions", list[models.Reaction])
        ask("bot", "DELETE", f"{target}/reactions/{made['id']}", None, status=204)
    ask("bot", "POST", "/labels", models.Label, {"name": "agent", "color": "ABCDEF"}, status=201)
    ask("bot", "GET", "/labels", list[models.Label])
    ask("bot", "GET", "/labels/agent", models.Label)
    ask("bot", "PATCH", "/labels/agent", models.Label, {"description": "The whole loop"})
    ask("alice", "POST", "/issues/1/labels", list[models.Label], {"labels": ["agent", "agent/working"]})
    ask("bot", "GET", "/issues/1/labels", list[models.Label])
    ask("bot", "PUT", "/issues/1/labels", list[models.Label], {"labels": ["agent", "x"]})
    ask("bot", "DELETE", "/issues/1/labels/agent", list[models.Label])
    ask("bot", "GET", "/issues/1/events", list[Event])
    ask("bot", "GET", "/issues/1/timeline", list[Event | models.TimelineCommentEvent])
    ask("bot", "DELETE", "/issues/1/labels", None, status=204)
    ask("bot", "DELETE", "/labels/agent", None, status=204)
    ask("bot", "DELETE", one, None, status=204)


def _git(ask: Described) -> str:
    main = ask("bot", "GET", "/git/ref/heads/main", models.GitRef)["object"]["sha"]
    ask("bot", "GET", "/git/matching-refs/heads/ma", list[models.GitRef])
    blob = ask("bot", "POST", "/git/blobs", models.ShortBlob, {"content": "four = 4\n"}, status=201)["sha"]
    ask("bot", "GET", f"/git/blobs/{blob}", models.Blob)
    entry = {"path": "src/b.py", "mode": "100644", "type": "blob", "sha": blob}
    tree = ask("bot", "POST", "/git/trees", models.GitTree, {"base_tree": main, "tree": [entry]}, status=201)["sha"]
    ask("bot", "GET", f"/git/trees/{tree}?recursive=1", models.GitTree)
    body = {"message": "Add b", "tree": tree, "parents": [main]}
    first = ask("bot", "POST", "/git/commits", models.GitCommit, body, status=201)["sha"]
    ask("bot", "GET", f"/git/commits/{first}", models.GitCommit)
    ask("bot", "POST", "/git/refs", models.GitRef, {"ref": "refs/heads/agent/1-b", "sha": first}, status=201)
    second = ask("bot", "POST", "/git/commits", models.GitCommit, body | {"parents": [first]}, status=201)["sha"]
    ask("bot", "PATCH", "/git/refs/heads/agent/1-b", models.GitRef, {"sha": second})
    ask("bot", "POST", "/git/refs", models.GitRef, {"ref": "refs/heads/gone", "sha": first}, status=201)
    ask("bot", "DELETE", "/git/refs/heads/gone", None, status=204)
    ask("bot", "GET", "/contents", list[models.ContentDirectoryItems])
    ask("bot", "GET", "/contents/src", list[models.ContentDirectoryItems])
    ask("bot", "GET", "/contents/README.md?ref=agent/1-b", models.ContentFile)
    ask("bot", "GET", "/commits", list[models.Commit])
    ask("bot", "GET", "/commits/agent/1-b", models.Commit)
    ask("bot", "GET", f"/commits/{main}", models.Commit)
    ask("bot", "GET", "/compare/main...agent/1-b", models.CommitComparison)
    ask("bot", "GET", "/branches", list[models.ShortBranch])
    ask("bot", "GET", "/branches/agent/1-b", models.BranchWithProtection)
    return second


def _pulls(ask: Described, sha: str) -> None:
    new = {"title": "Add b", "head": "agent/1-b", "base": "main", "body": "Fixes #1"}
    ask("bot", "POST", "/pulls", models.PullRequest, new, status=201)
    ask("bot", "GET", "/pulls", list[models.PullRequestSimple])
    ask("bot", "GET", "/pulls/2", models.PullRequest)
    ask("bot", "GET", "/pulls/2", models.PullRequest)
    ask("bot", "PATCH", "/pulls/2", models.PullRequest, {"title": "Add b.py"})
    ask("bot", "GET", "/pulls/2/files", list[models.DiffEntry])
    ask("bot", "GET", "/pulls/2/commits", list[models.Commit])
    asked = {"reviewers": ["alice"]}
    ask("bot", "POST", "/pulls/2/requested_reviewers", models.PullRequestSimple, asked, status=201)
    ask("bot", "GET", "/pulls/2/requested_reviewers", models.PullRequestReviewRequest)
    ask("bot", "DELETE", "/pulls/2/requested_reviewers", models.PullRequestSimple, asked)
    draft = {"path": "src/b.py", "line": 1, "body": "Why four?"}
    made = ask("alice", "POST", "/pulls/2/reviews", models.PullRequestReview, {"event": "COMMENT", "comments": [draft]})
    ask("bot", "GET", "/pulls/2/reviews", list[models.PullRequestReview])
    ask("bot", "GET", f"/pulls/2/reviews/{made['id']}", models.PullRequestReview)
    comments = ask("bot", "GET", "/pulls/2/comments", list[models.PullRequestReviewComment])
    reply = f"/pulls/2/comments/{comments[0]['id']}/replies"
    ask("bot", "POST", reply, models.PullRequestReviewComment, {"body": "Because."}, status=201)
    alone = draft | {"commit_id": sha, "side": "RIGHT"}
    other = ask("alice", "POST", "/pulls/2/comments", models.PullRequestReviewComment, alone, status=201)
    one = f"/pulls/comments/{other['id']}"
    ask("bot", "GET", one, models.PullRequestReviewComment)
    ask("alice", "PATCH", one, models.PullRequestReviewComment, {"body": "Why?"})
    ask("bot", "POST", f"{one}/reactions", models.Reaction, {"content": "rocket"}, status=201)
    ask("bot", "GET", f"{one}/reactions", list[models.Reaction])
    ask("alice", "DELETE", one, None, status=204)


def _checks(ask: Described, sha: str) -> None:
    output = {"title": "t", "summary": "s"}
    note = {"path": "src/b.py", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
    new = {"name": "agent / verify", "head_sha": sha, "output": output | {"annotations": [note]}}
    run = ask("bot", "POST", "/check-runs", models.CheckRun, new, status=201)
    one = f"/check-runs/{run['id']}"
    ask("bot", "PATCH", one, models.CheckRun, {"conclusion": "success", "output": output})
    ask("bot", "GET", one, models.CheckRun)
    ask("bot", "GET", f"{one}/annotations", list[models.CheckAnnotation])
    runs = models.ReposOwnerRepoCommitsRefCheckRunsGetResponse200
    suites = models.ReposOwnerRepoCommitsRefCheckSuitesGetResponse200
    ask("bot", "GET", "/commits/agent/1-b/check-runs", runs)
    ask("bot", "GET", f"/commits/{sha}/check-suites", suites)
    ask("bot", "GET", f"/check-suites/{run['check_suite']['id']}", models.CheckSuite)
    ask("alice", "POST", f"/statuses/{sha}", models.Status, {"state": "success", "context": "ci"}, status=201)
    ask("bot", "GET", f"/commits/{sha}/statuses", list[models.Status])
    ask("bot", "GET", "/commits/agent/1-b/status", models.CombinedCommitStatus)
    ask("alice", "PUT", "/pulls/2/merge", models.PullRequestMergeResult, {"merge_method": "squash"})
    ask("alice", "GET", "/pulls/2/merge", None, status=204)


def _apps(ask: Described) -> None:
    one = f"//app/installations/{ask.scene.installation.id}"
    ask("app", "GET", "//app", models.Integration)
    ask("app", "GET", "//app/installations", list[models.Installation])
    ask("app", "GET", one, models.Installation)
    ask("app", "GET", "/installation", models.Installation)
    narrow = {"repositories": ["demo"], "permissions": {"contents": "read"}}
    token = ask("app", "POST", f"{one}/access_tokens", models.InstallationToken, narrow, status=201)["token"]
    ask(token, "GET", "//installation/repositories", models.InstallationRepositoriesGetResponse200)
    ask(token, "DELETE", "//installation/token", None, status=204)
    ask.scene.hub.webhooks.drain()
    rows = ask("app", "GET", "//app/hook/deliveries", list[models.HookDeliveryItem])
    delivery = f"//app/hook/deliveries/{rows[0]['id']}"
    ask("app", "GET", delivery, models.HookDelivery)
    ask("app", "POST", f"{delivery}/attempts", dict[str, Any], status=202)
    ask("bot", "GET", "//rate_limit", models.RateLimitOverview)
    ask("bot", "GET", "//users/alice", models.PublicUser)
    ask("alice", "GET", "//user", models.PrivateUser)
    ask("bot", "GET", "", models.FullRepository)
    ask("bot", "GET", "/collaborators/alice/permission", models.RepositoryCollaboratorPermission)
    ask("octo", "PATCH", "", models.FullRepository, {"description": "A demo", "private": True})
    ask("app", "DELETE", one, None, status=204)


def test_every_answer_has_the_described_shape(scene: Scene) -> None:
    owner = scene.hub.account("octo-org")
    scene.tokens["octo"] = scene.hub.state.new_token(owner).value
    ask = Described(scene)
    _issues(ask)
    sha = _git(ask)
    _pulls(ask, sha)
    _checks(ask, sha)
    _apps(ask)
    assert ask.problems == []
    assert _unasked(ask) == []


def _unasked(ask: Described) -> list[str]:
    """Routes that this story did not try."""
    from bot.playground.api import _pattern

    paths = {(m, (p[1:] if p.startswith("//") else ask.scene.base + p).partition("?")[0]) for m, p in ask.seen}
    missing = []
    for route in (route for module in MODULES for route in module.ROUTES):
        pattern = _pattern(route.path)
        if not any(method == route.method and pattern.fullmatch(path) for method, path in paths):
            missing.append(f"{route.method} {route.path}")
    return missing
