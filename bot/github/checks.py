"""Check runs of ours."""

from bot.github.calls import Caller, segment
from bot.github.tokens import CHECKS


class CheckCalls(Caller):
    """Calls about check runs."""

    async def put_check(
        self,
        installation_id: int,
        repo: str,
        *,
        name: str,
        sha: str,
        external_id: str,
        status: str,
        conclusion: str | None,
        title: str,
        summary: str,
        check_id: int | None = None,
    ) -> int:
        """Create the check run, or update `check_id`; returns its id."""
        body: dict[str, object] = {
            "name": name,
            "external_id": external_id,
            "status": status,
            "output": {"title": title, "summary": summary},
        }
        if conclusion is not None:
            body |= {"status": "completed", "conclusion": conclusion}
        if check_id is None:
            body["head_sha"] = sha
            data = await self._call(installation_id, repo, "POST", "/check-runs", permissions=CHECKS, json=body)
        else:
            path = f"/check-runs/{check_id}"
            data = await self._call(installation_id, repo, "PATCH", path, permissions=CHECKS, json=body)
        return data["id"]

    async def find_check(self, installation_id: int, repo: str, *, sha: str, external_id: str) -> int | None:
        """The newest check run with that external id on a commit, None where there is none."""
        path = f"/commits/{segment(sha)}/check-runs"
        # one page: only ours carry such an id, and `latest` gives one a name
        params = {"filter": "latest", "per_page": 100}
        data = await self._call(installation_id, repo, "GET", path, permissions=CHECKS, params=params)
        ours = [run["id"] for run in data["check_runs"] if run.get("external_id") == external_id]
        return max(ours, default=None)
