"""`journeyman doctor`: what an operator is told before the first run."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from bot import doctor
from bot.doctor import Senses, run_doctor
from bot.playground.world import Playground
from bot.ports import Transient
from bot.sandbox.probes import Probe
from bot.settings import load

pytestmark = pytest.mark.fast
PEM = "-----BEGIN RSA PRIVATE KEY-----\\nnot looked at here\\n-----END RSA PRIVATE KEY-----"
KEY = "sk-a-key-that-nobody-may-read"


async def holds(_home: Path, _uid: int) -> tuple[Probe, ...]:
    return (Probe("overlay", True, "works"), Probe("unix_socket", True, "refused"))


async def leaks(_home: Path, _uid: int) -> tuple[Probe, ...]:
    return (Probe("overlay", True, "works"), Probe("unix_socket", False, "reached"))


async def copies(_home: Path, _uid: int) -> tuple[Probe, ...]:
    return (Probe("overlay", False, "not permitted"), Probe("unix_socket", True, "refused"))


async def knows(_settings: object) -> str:
    return "GitHub knows the App"


async def is_silent(_settings: object) -> str:
    raise Transient("GitHub is not answering")


WELL = Senses(git=lambda: "git version 2.39.5", sandbox=holds, github=knows)


def environment(home: Path, **changed: str) -> dict[str, str]:
    return {
        "JOURNEYMAN_HOME": str(home),
        "JOURNEYMAN_APP_ID": "7",
        "JOURNEYMAN_PRIVATE_KEY": PEM,
        "JOURNEYMAN_WEBHOOK_SECRET": "hush-hush",
        "ANTHROPIC_API_KEY": KEY,
        "OPENAI_API_KEY": KEY,
        **changed,
    }


def ask(environ: dict[str, str], senses: Senses = WELL, *, as_json: bool = False) -> tuple[int, str]:
    said: list[str] = []
    code = run_doctor(None, as_json=as_json, say=said.append, environ=environ, senses=senses)
    return code, "\n".join(said)


def bad(environ: dict[str, str], senses: Senses = WELL) -> list[str]:
    code, text = ask(environ, senses, as_json=True)
    found = [f"{row['name']}: {row['detail']}" for row in json.loads(text)["rows"] if row["ok"] is False]
    assert code == (1 if found else 0)
    return found


def test_where_everything_is_there_nothing_is_to_be_mended(tmp_path: Path):
    code, text = ask(environment(tmp_path))
    assert (code, text.splitlines()[-1]) == (0, "Everything that `journeyman serve` needs is here.")


def test_no_secret_is_shown(tmp_path: Path):
    for as_json in (False, True):
        _, text = ask(environment(tmp_path), as_json=as_json)
        assert not [secret for secret in (KEY, "hush-hush", "not looked at here") if secret in text]


def test_each_model_is_shown_with_its_price(tmp_path: Path):
    _, text = ask(environment(tmp_path))
    (line,) = [it for it in text.splitlines() if it.split()[1:2] == ["work"]]
    assert line.endswith("anthropic/claude-sonnet-5-5:medium, $2.00 in and $10.00 out a million tokens")


def test_what_is_missing_is_said_with_where_to_get_it(tmp_path: Path):
    (found,) = bad(environment(tmp_path, JOURNEYMAN_WEBHOOK_SECRET=""))
    assert found.startswith("missing: JOURNEYMAN_WEBHOOK_SECRET is not set: give the webhook secret")


def test_a_value_that_can_not_be_used_is_said(tmp_path: Path):
    assert bad(environment(tmp_path, PORT="many")) == ["usable: PORT is `many`: give a number from 0 to 65535."]


def test_a_misspelt_name_is_told_what_was_meant(tmp_path: Path):
    _, text = ask(environment(tmp_path, JOURNEYMAN_OWNER="acme"))
    assert "set, but nothing reads it; did you mean JOURNEYMAN_OWNERS?" in text


def test_a_leak_of_the_sandbox_is_bad(tmp_path: Path):
    senses = Senses(git=WELL.git, sandbox=leaks, github=knows)
    assert bad(environment(tmp_path), senses) == [
        "level: L0 none: `serve` and `try` refuse to work",
        "unix_socket: reached",
    ]


def test_without_overlays_checkouts_are_copies_and_that_is_well(tmp_path: Path):
    assert bad(environment(tmp_path), Senses(git=WELL.git, sandbox=copies, github=knows)) == []


def test_a_sandbox_that_is_switched_off_is_bad(tmp_path: Path):
    (found,) = bad(environment(tmp_path, JOURNEYMAN_SANDBOX="none"))
    assert "--i-accept-unsandboxed" in found


@pytest.mark.parametrize(
    ("said", "ends"), [("", "install git 2.39 or newer"), ("git version 2.30.2", "2.39 or newer is needed")]
)
def test_a_git_that_is_missing_or_too_old_is_bad(tmp_path: Path, said: str, ends: str):
    (found,) = bad(environment(tmp_path), Senses(git=lambda: said, sandbox=holds, github=knows))
    assert found.endswith(ends)


def test_a_github_that_does_not_answer_is_bad(tmp_path: Path):
    found = bad(environment(tmp_path), Senses(git=WELL.git, sandbox=holds, github=is_silent))
    assert found == ["GET /app: GitHub is not answering"]


def test_a_model_without_a_key_is_bad(tmp_path: Path):
    (found,) = bad(environment(tmp_path, OPENAI_API_KEY="", JOURNEYMAN_MODELS="review=openai/gpt-6.2-sol"))
    assert found.endswith("gives the role review to `openai/gpt-6.2-sol`, but OPENAI_API_KEY is not set.")


def test_github_is_not_asked_without_credentials(tmp_path: Path):
    senses = Senses(git=WELL.git, sandbox=holds, github=is_silent)
    assert not [it for it in bad(environment(tmp_path, JOURNEYMAN_APP_ID=""), senses) if it.startswith("GET")]


def test_every_variable_of_the_settings_is_listed():
    read = set(re.findall(r'env\.get\("(\w+)"', Path(load.__code__.co_filename).read_text()))
    assert read | {"JOURNEYMAN_HOME"} == set(doctor.VARIABLES)


def test_github_is_really_asked_who_the_app_is(tmp_path: Path):
    with Playground.start(tmp_path / "hub") as hub:
        app = hub.create_app()
        changed = {"JOURNEYMAN_APP_ID": str(app.id), "JOURNEYMAN_PRIVATE_KEY": app.private_key}
        settings = load(None, environment(tmp_path, **changed, JOURNEYMAN_GITHUB_API=hub.api))
        assert asyncio.run(doctor.ask_github(settings)).startswith(
            f"{hub.api} knows the App `{app.slug}` (id {app.id})"
        )
