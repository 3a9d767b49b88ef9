"""The part of GitHub's GraphQL that REST can't do: drafts, review threads, `node(id)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, GraphQLSchema, build_schema, graphql_sync
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from bot.playground import auth
from bot.playground.acts import pulls, reviews
from bot.playground.api import Answer, base_headers, check_request, read_body, write
from bot.playground.auth import Principal
from bot.playground.data import Pull, Repo, Thread
from bot.playground.shapes import nodes
from bot.playground.shapes.web import read_node_id
from bot.playground.state import State
from bot.playground.validation import ApiError, read_json

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Root:
    """The root value of one request: its fields are the queries and mutations."""

    state: State
    principal: Principal

    # ---- queries

    def node(self, _info: Any, id: str) -> Json:
        """Anything by its global id."""
        found = self._find(id)
        if found is None:
            raise _unresolved(id)
        return found

    def repository(self, _info: Any, owner: str, name: str, followRenames: bool = True) -> Json:  # GitHub's name
        """A repository that the token may see."""
        try:
            repo = auth.visible(self.state, self.principal, self.state.repo(f"{owner}/{name}"))
        except ApiError:
            raise nodes.refuse("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.") from None  # fmt: skip
        return nodes.repository(self.state.web, repo)

    def viewer(self, _info: Any) -> Json:
        """Who asks."""
        return nodes.actor(self.state.web, self.principal.by.account)

    # ---- mutations; GraphQL's names

    def markPullRequestReadyForReview(self, _info: Any, input: Json) -> Json:
        """Draft to ready."""
        return self._set_draft(input, draft=False)

    def convertPullRequestToDraft(self, _info: Any, input: Json) -> Json:
        """Ready to draft."""
        return self._set_draft(input, draft=True)

    def resolveReviewThread(self, _info: Any, input: Json) -> Json:
        """Resolve a thread."""
        return self._resolve(input, resolved=True)

    def unresolveReviewThread(self, _info: Any, input: Json) -> Json:
        """Take that back."""
        return self._resolve(input, resolved=False)

    # ---- inside

    def _visible(self, repo: Repo) -> bool:
        try:
            auth.visible(self.state, self.principal, repo)
        except ApiError:
            return False
        return True

    def _find(self, text: str) -> Json | None:
        parsed, web, state = read_node_id(text), self.state.web, self.state
        if parsed is None:
            return None
        prefix, number = parsed
        if prefix == "PR" and (pull := state.pulls.get(number)):
            return nodes.pull_request(web, pull) if self._visible(pull.repo) else None
        if prefix == "PRRT" and (thread := state.threads.get(number)):
            return nodes.review_thread(web, thread) if self._visible(thread.pull.repo) else None
        if prefix == "PRRC" and (comment := state.review_comments.get(number)):
            return nodes.review_comment(web, comment) if self._visible(comment.pull.repo) else None
        if prefix == "R" and (repo := state.repo_by_id(number)):
            return nodes.repository(web, repo) if self._visible(repo) else None
        if prefix == "I":
            rows = [repo for repo in state.repos.values() if self._visible(repo)]
            return next((nodes.issue(web, i) for r in rows for i in r.issues.values() if i.id == number), None)
        if prefix in ("U", "BOT", "O"):
            return next((nodes.actor(web, one) for one in state.accounts.values() if one.id == number), None)
        return None

    def _may_write(self, repo: Repo, *, role: Any) -> None:
        try:
            auth.check(self.state, self.principal, repo, needs="pull_requests=write", role=role, writes=True)
        except ApiError as error:
            raise nodes.refuse("FORBIDDEN", error.message) from None

    def _set_draft(self, given: Json, *, draft: bool) -> Json:
        found: Pull = self._own(given["pullRequestId"], "PR", self.state.pulls, "PullRequest")
        by = self.principal.by
        self._may_write(found.repo, role="read" if by.account is found.issue.author else "write")
        if found.issue.state == "closed":
            raise nodes.refuse("UNPROCESSABLE", "Pull request is closed")
        pulls.set_draft(self.state, found, by, draft=draft)
        payload = nodes.pull_request(self.state.web, found)
        return {"clientMutationId": given.get("clientMutationId"), "pullRequest": payload}

    def _resolve(self, given: Json, *, resolved: bool) -> Json:
        found: Thread = self._own(given["threadId"], "PRRT", self.state.threads, "PullRequestReviewThread")
        by, pull = self.principal.by, found.pull
        self._may_write(pull.repo, role="read" if by.account is pull.issue.author else "write")
        reviews.resolve(self.state, found, by, resolved=resolved)
        payload = nodes.review_thread(self.state.web, found)
        return {"clientMutationId": given.get("clientMutationId"), "thread": payload}

    def _own(self, text: str, prefix: str, table: dict[int, Any], kind: str) -> Any:
        parsed = read_node_id(text)
        found = table.get(parsed[1]) if parsed and parsed[0] == prefix else None
        repo = None if found is None else found.repo if isinstance(found, Pull) else found.pull.repo
        if found is None or repo is None or not self._visible(repo):
            if self._find(text) is not None:
                raise nodes.refuse("NOT_FOUND", f"Could not resolve to {kind} node with the global id of '{text}'.")
            raise _unresolved(text)
        return found


def _unresolved(text: str) -> GraphQLError:
    return nodes.refuse("NOT_FOUND", f"Could not resolve to a node with the global id of '{text}'")


def load_schema() -> GraphQLSchema:
    """The schema beside this file."""
    return build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))


def _formatted(result: ExecutionResult) -> Json:
    """GitHub's form: an error's `type` stands beside its message."""
    answer: Json = {}
    if result.data is not None or not result.errors or any(error.path for error in result.errors):
        answer["data"] = result.data
    if result.errors:
        rows = []
        for error in result.errors:
            row: Json = {**error.formatted}
            extensions: Json = dict(row.pop("extensions", None) or {})
            kind = extensions.pop("type", None)
            rows.append(({"type": kind} if kind else {}) | row | ({"extensions": extensions} if extensions else {}))
        answer["errors"] = rows
    return answer


class GraphQL:
    """The ASGI app at `/api/graphql`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._loaded: GraphQLSchema | None = None

    @property
    def _schema(self) -> GraphQLSchema:
        """Parsed at the first question: that takes 0.1 s."""
        if self._loaded is None:
            self._loaded = load_schema()
        return self._loaded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await read_body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        answer = await run_in_threadpool(self._answer, scope["method"], headers, raw)
        await write(send, answer)

    def _answer(self, method: str, headers: dict[str, str], raw: bytes) -> Answer:
        out, limits = base_headers(headers), self._state.limits
        try:
            if method != "POST":
                raise ApiError(404, "Not Found", docs="")
            check_request(headers, raw)
            with self._state.lock:
                principal = auth.authenticate(self._state, headers.get("authorization"))
                if principal.token is None:
                    raise ApiError(401, "This endpoint requires you to be authenticated.", docs="graphql")
                limits.count(principal.key, "graphql")
                out |= limits.headers(principal.key, "graphql")
                limits.check(principal.key, "graphql", who=principal.who)
                return Answer(200, self._run(principal, read_json(raw)), out)
        except ApiError as error:
            return Answer(error.status, error.body(""), out | error.headers)

    def _run(self, principal: Principal, data: Any) -> Json:
        query = data.get("query") if isinstance(data, dict) else None
        if not isinstance(query, str):
            raise ApiError(400, "A query attribute must be specified and must be a string.")
        root = Root(self._state, principal)
        resolvers: dict[str, Callable[..., Any]] = {
            name: getattr(root, name) for kind in ("Query", "Mutation") for name in _fields(self._schema, kind)
        }
        result = graphql_sync(
            self._schema,
            query,
            resolvers,
            variable_values=data.get("variables"),
            operation_name=data.get("operationName"),
        )
        return _formatted(result)


def _fields(schema: GraphQLSchema, kind: str) -> list[str]:
    found = schema.get_type(kind)
    return list(found.fields) if isinstance(found, GraphQLObjectType) else []
