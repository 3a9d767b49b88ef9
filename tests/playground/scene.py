"""A playground with an App, three people and one repository, spoken to over real HTTP."""

import socket
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.playground.data import Installation
from bot.playground.world import NewApp, Playground

REPO = "octo-org/demo"
FILES = {"README.md": "# Demo\n", "src/a.py": "one = 1\ntwo = 2\nthree = 3\n", ".github/workflows/ci.yml": "on: push\n"}


@cache
def _key() -> rsa.RSAPrivateKey:
    """One key for all: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Scene:
    """`app`, `bot` and people's names are HTTP clients; paths begin below the repository unless they begin with `//`."""

    hub: Playground
    new_app: NewApp
    installation: Installation
    tokens: dict[str, str]
    client: httpx.Client
    base: str = f"/repos/{REPO}"
    last: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def build(cls, directory: Path, **options: Any) -> Self:
        nobody = f"http://127.0.0.1:{free_port()}/webhooks"
        hub = Playground.start(directory, **{"webhook_url": nobody, **options})
        app = hub.create_app("journeyman", key=_key())
        tokens = {login: hub.create_user(login) for login in ("alice", "bob", "carol")}
        hub.create_repo(REPO, files=FILES)
        hub.add_collaborator(REPO, "alice", "write")
        hub.add_collaborator(REPO, "bob", "triage")
        installation = hub.install(app, "octo-org")
        client = httpx.Client(base_url=hub.api, trust_env=False)
        scene = cls(hub, app, installation, tokens, client)
        scene.tokens["bot"] = scene.mint()
        return scene

    def close(self) -> None:
        self.client.close()
        self.hub.stop()

    def app_jwt(self, **claims: Any) -> str:
        now = int(self.hub.state.clock.now())
        body = {"iss": str(self.new_app.id), "iat": now - 30, "exp": now + 540} | claims
        return jwt.encode(body, _key(), algorithm="RS256")

    def mint(self, **body: Any) -> str:
        answer = self.ask("app", "POST", f"//app/installations/{self.installation.id}/access_tokens", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    def ask(self, who: str | None, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        if who == "app":
            headers["authorization"] = f"Bearer {self.app_jwt()}"
        elif who is not None:
            headers["authorization"] = f"token {self.tokens.get(who, who)}"
        url = path[1:] if path.startswith("//") else self.base + path
        content = None if body is None else {"json": body}
        return self.client.request(method, self.hub.api + url, headers=headers, **(content or {}))

    def get(self, who: str | None, path: str, **headers: str) -> Any:
        answer = self.ask(who, "GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, who: str, path: str, body: Any = None) -> Any:
        answer = self.ask(who, "POST", path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def commit(self, files: dict[str, str], *, branch: str, base: str = "main", message: str = "Change") -> str:
        """A commit of the bot on `base`, with `branch` moved (or made) to it."""
        tip = self.get("bot", f"/git/ref/heads/{base}")["object"]["sha"]
        rows = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
        tree = self.post("bot", "/git/trees", {"base_tree": tip, "tree": rows})["sha"]
        sha = self.post("bot", "/git/commits", {"message": message, "tree": tree, "parents": [tip]})["sha"]
        if self.ask("bot", "GET", f"/git/ref/heads/{branch}").status_code == 200:
            self.ask("bot", "PATCH", f"/git/refs/heads/{branch}", {"sha": sha}).raise_for_status()
        else:
            self.post("bot", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        return sha

    def pull(self, branch: str = "agent/1-change", *, draft: bool = False, **files: str) -> Any:
        """A pull request of the bot that changes `src/a.py`, or the files given."""
        changed = files or {"src/a.py": "one = 1\ntwo = 22\nthree = 3\n"}
        self.commit(changed, branch=branch)
        return self.post(
            "bot", "/pulls", {"title": "Change", "head": branch, "base": "main", "body": "Part of #1", "draft": draft}
        )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
