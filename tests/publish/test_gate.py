"""Nothing that looks like a secret passes the one door out; what is said of it never holds the value (SECURITY.md 23)."""

import pytest

from bot.core.redact import Secret
from bot.publish.gate import Block, Blocked, Gate, Kingfisher

pytestmark = pytest.mark.fast

HELD = "whsec_9fK2mQ7xLp4TzR8vBn3Wd6Yc"
PAT = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


@pytest.fixture
def blocks() -> list[Block]:
    return []


@pytest.fixture
def gate(blocks: list[Block]) -> Gate:
    return Gate(lambda: [Secret(HELD)], record=blocks.append, scanner=lambda data: ())


def test_ordinary_text_passes_unchanged(gate: Gate, blocks: list[Block]):
    assert gate.check("revision 2 (`a1b2c3d`)", what="status comment") == "revision 2 (`a1b2c3d`)"
    assert blocks == []


def test_a_held_secret_is_blocked_said_and_recorded(gate: Gate, blocks: list[Block]):
    with pytest.raises(Blocked) as raised:
        gate.check(f"it is {HELD}", what="commit message", run_id="acme/shop-42-r1")
    assert raised.value.message == (
        "The commit message is held back: it holds something that looks like a secret (held secret). Nothing of it was published."
    )
    assert blocks == [Block("commit message", "acme/shop-42-r1", ("held secret",))]
    assert HELD[6:] not in repr(raised.value) + repr(blocks)


def test_the_secrets_are_those_of_the_moment(blocks: list[Block]):
    held: list[Secret] = []
    gate = Gate(lambda: held, record=blocks.append, scanner=lambda data: ())
    gate.check(HELD, what="text")
    held.append(Secret(HELD))
    with pytest.raises(Blocked):
        gate.check(HELD, what="text")


def test_the_second_net_blocks_what_the_first_lets_through(blocks: list[Block]):
    gate = Gate(list, record=blocks.append, scanner=lambda data: ("rule.of.another",) if b"odd" in data else ())
    with pytest.raises(Blocked):
        gate.check("something odd", what="text")
    assert blocks[0].rules == ("rule.of.another",)


def test_a_patch_is_judged_by_what_it_adds(gate: Gate):
    head = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"
    gate.check_patch(f"{head}-{PAT}\n+nothing\n")
    with pytest.raises(Blocked, match="change"):
        gate.check_patch(f"{head}-nothing\n+token = '{PAT}'\n")


def test_a_path_in_a_patch_is_judged_too(gate: Gate):
    with pytest.raises(Blocked):
        gate.check_patch(f"--- /dev/null\n+++ b/{PAT}.txt\n@@ -0,0 +1 @@\n+x\n")


def test_a_blob_names_its_file(gate: Gate):
    gate.check_blob("logo.png", bytes(range(256)))
    with pytest.raises(Blocked, match=r"file config/prod\.env"):
        gate.check_blob("config/prod.env", f"TOKEN={PAT}".encode())


@pytest.mark.parametrize(
    "name", ["main", "agent/", "agent/x y", "refs/heads/agent/1-x", "agent/..", "agent/1-x/y", "agent/1-x\n"]
)
def test_only_branches_of_ours_pass(gate: Gate, name: str):
    with pytest.raises(Blocked):
        gate.check_branch(name)


@pytest.mark.parametrize("name", ["agent/42-consent-log", "agent/42-consent-log-2", "agent/42-consent-log--t1"])
def test_a_branch_of_ours_passes(gate: Gate, name: str):
    assert gate.check_branch(name) == name


def test_kingfisher_knows_a_token_and_leaves_our_own_texts_alone():
    scan = Kingfisher()
    assert scan(f"token = {PAT}".encode())
    assert (
        scan(b"revision 2 (`a1b2c3d`), sha256=7fdfe0e5461121b288ddcb095be73a1a6c167621162df1da22690dc4a2d7fbdc") == ()
    )


@pytest.mark.parametrize(
    ("what", "verb"),
    [
        ("change", "/agent retry from=work"),
        ("file a.txt", "/agent retry from=work"),
        ("pull request body", "/agent refine <text>"),
        ("branch name", ""),
    ],
)
def test_the_way_out_makes_what_was_blocked_afresh(what: str, verb: str):
    assert Blocked(Block(what, "", ("held secret",))).verb == verb
