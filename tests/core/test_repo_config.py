"""`.github/agent.yml`: what is right counts, what is wrong is said in one plain line and falls back to its default."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.core import repo_config as rc
from bot.core.evidence import VerifyCommand
from bot.core.repo_config import Ceilings, RepoConfig, ceilings_of, clamp
from bot.core.repo_config_file import SIZE_LIMIT, ConfigProblem, read_config

pytestmark = pytest.mark.fast

EVERYTHING = """
version: 1
trigger: {labels: {run: robot, spec: "robot:spec", skip: "robot:skip"}, roles: maintain}
approval: {required: true, not_author: true}
spec: {sections: [Licence], template: docs/spec.md, commit_to: docs/specs}
review: {rounds: 2, block_on: [blocker], same_vendor: forbid, vendor_down: same_vendor, quorum: 2}
evidence: off
work: {max_parallel: 4, setup: make deps, timeout: 20m, hot_files: [CHANGELOG.md]}
pull_requests: {delivery: single, draft_until_green: false}
verify:
  commands:
    - name: unit
      run: make test
      timeout: 90s
      network: none
    - {name: lint, run: make lint}
  baseline: false
follow_up: {reviews: off, ci: {attempts: 0}, conflicts: off, rounds: 1}
limits: {usd_per_run: 2, usd_per_issue: 3.5, usd_per_day: 4, usd_per_user_day: 5, files: 6, patch_kb: 7, wall: 8h}
protect: {paths: ["billing/**"], policy: deny}
network: {install: ["registry.npmjs.org", "pypi.example.org:8443"]}
compliance: {sensitive: [personal data]}
"""


def problems(text: str) -> list[str]:
    return [f"{one.line} {one.key}: {one.message}" for one in read_config(text.encode()).problems]


@pytest.mark.parametrize("raw", [None, b"", b"# nothing yet\n", b"version: 1\n", b"\xef\xbb\xbfversion: 1"])
def test_a_repository_that_says_nothing_gets_the_defaults(raw: bytes | None):
    file = read_config(raw)
    assert (file.config, file.problems) == (RepoConfig(), ())


def test_every_key_of_the_documentation_is_read():
    file = read_config(EVERYTHING.encode())
    assert file.problems == ()
    assert file.config == RepoConfig(
        version=1,
        trigger=rc.Trigger(rc.TriggerLabels("robot", "robot:spec", "robot:skip"), "maintain"),
        approval=rc.Approval(required=True, not_author=True),
        spec=rc.SpecOptions(("Licence",), "docs/spec.md", "docs/specs"),
        review=rc.ReviewOptions(2, ("blocker",), "forbid", "same_vendor", 2),
        evidence="off",
        work=rc.Work(4, "make deps", 1200, ("CHANGELOG.md",)),
        pull_requests=rc.PullRequests("single", draft_until_green=False),
        verify=rc.Verify((rc.Command("unit", "make test", 90), rc.Command("lint", "make lint")), baseline=False),
        follow_up=rc.FollowUp("off", rc.FollowUpCi(0), "off", 1),
        limits=rc.Limits(2.0, 3.5, 4.0, 5.0, 6, 7, 8 * 3600),
        protect=rc.Protect(("billing/**",), "deny"),
        network=rc.Network(("registry.npmjs.org", "pypi.example.org:8443")),
        compliance=rc.Compliance(("personal data",)),
    )


def test_declared_commands_are_named_as_declared():
    config = read_config(EVERYTHING.encode()).config
    assert config.verify.declared[0] == VerifyCommand("unit", "make test", 90, declared=True)


def test_money_is_counted_in_micros():
    limits = read_config(b"limits: {usd_per_run: 0.1}").config.limits
    assert (limits.run_micros, limits.issue_micros) == (100_000, 15_000_000)
    assert (limits.day_micros, limits.user_day_micros) == (50_000_000, 25_000_000)


def test_what_is_wrong_is_said_with_line_key_and_a_guess():
    text = """\
aproval: {required: true}
limits:
  usd_per_run: "5"
  usd_per_day: .inf
  files: 0
  wall: forever
evidence: brnch
verify:
  commands:
    - {name: unit, run: make test, timout: 3}
    - {run: make lint}
approval: {required: yes}
trigger: {roles: triage, labels: {run: bot, spec: BOT}}
review: 3
work: {hot_files: CHANGELOG.md}
spec: {template: ../secrets, commit_to: /etc}
network: {install: ["https://example.org/x"]}
protect: {zzz: 1}
version: 2
version: 1
"""
    assert problems(text) == snapshot(
        [
            "1 aproval: is no key here; did you mean approval?",
            "3 limits.usd_per_run: must be a number",
            "4 limits.usd_per_day: must be an ordinary number",
            "5 limits.files: must be greater than or equal to 1",
            "6 limits.wall: must be a time such as 90s, 30m or 4h",
            "7 evidence: must be branch or link or off; did you mean branch?",
            "10 verify.commands[0].timout: is no key here; did you mean timeout?",
            "11 verify.commands[1].name: is needed here",
            "12 approval.required: must be true or false",
            "13 trigger.labels: must be three different names, none of which begins with agent/",
            "13 trigger.roles: must be write or maintain or admin",
            "14 review: must be a mapping of keys",
            "15 work.hot_files: must be a list",
            "16 spec.commit_to: must be a path inside the repository",
            "16 spec.template: must be a path inside the repository",
            "17 network.install[0]: has a form that can't be right here",
            "18 protect.zzz: is no key here; the keys are paths, policy",
            "19 version: must be 1",
            "20 version: this key stands here twice; the first one counts",
        ]
    )


def test_a_wrong_value_leaves_the_rest_of_the_file_in_force():
    config = read_config(b"approval: {required: true}\nlimits: {files: many, patch_kb: 9}\nnope: 1").config
    assert config == replace(RepoConfig(), approval=rc.Approval(required=True), limits=rc.Limits(patch_kb=9))


def test_one_wrong_item_leaves_the_other_items_of_its_list():
    text = "verify:\n  commands:\n  - {run: a}\n  - {name: b, run: b}\n  - 3\n  - {}\n  - {name: e, run: e}\n"
    assert read_config(text.encode()).config.verify.commands == (rc.Command("b", "b"), rc.Command("e", "e"))
    assert problems(text) == [
        "3 verify.commands[0].name: is needed here",
        "5 verify.commands[2]: must be a mapping of keys",
        "6 verify.commands[3].name: is needed here",
        "6 verify.commands[3].run: is needed here",
    ]


def test_a_misspelt_severity_never_makes_the_review_block_on_less():
    assert read_config(b"review: {block_on: [bloker]}").config.review.block_on == ("blocker", "major")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"a: b: c", "the file is not YAML: mapping values are not allowed here"),
        (b"a: 1\n---\nb: 2", "the file is not YAML: but found another document"),
        (b"- 1", "the file must be a mapping, such as `version: 1`"),
        (b"just words", "the file must be a mapping, such as `version: 1`"),
        (b"\xff\xfe", "the file is not UTF-8"),
        (b"a: \x00", "the file is not YAML: unacceptable character #x0000: special characters are not allowed"),
        (b"[" * 60_000, "the file is nested too deeply"),
        (b"- " * 30_000, "the file is nested too deeply"),
        (b"? " * 30_000, "the file is nested too deeply"),
        (b"#" * (SIZE_LIMIT + 1), "the file has 65,537 bytes and 65,536 are the most"),
    ],
)
def test_a_file_that_can_not_be_read_is_one_problem_and_all_defaults(raw: bytes, message: str):
    file = read_config(raw)
    assert file.config == RepoConfig()
    assert [one.message for one in file.problems] == [message]


def test_nothing_expands_by_anchors():
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d {<<: *c}\n"
    assert all("anchors and aliases" in one for one in problems(bomb)[:3])
    assert problems("a: &a [*a]") == ["1 a: anchors and aliases are not supported; write the value out"]


def test_an_anchor_used_twice_does_not_raise():
    assert len(read_config(b"a: &x 1\nb: &x 2").problems) >= 1


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!env", "!!binary", "!!set"])
def test_no_tag_constructs_anything(tag: str):
    assert "1 evidence: YAML tags are not supported; write the plain value" in problems(f"evidence: {tag} x")


def test_the_yaml_1_1_words_for_booleans_are_words():
    assert read_config(b"evidence: off\nfollow_up: {reviews: off}").config.follow_up.reviews == "off"


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise(raw: bytes):
    assert isinstance(read_config(raw).config, RepoConfig)


WORDS = st.sampled_from(
    [
        "version",
        "limits",
        "files",
        "verify",
        "commands",
        "name",
        "run",
        "review",
        "1",
        "0x1F",
        "~",
        "4h",
        "- ",
        "&a ",
        "*a",
    ]
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "  ", "    ", "  - "]), WORDS, st.sampled_from(["", " "]), WORDS), max_size=12
    )
)
def test_no_half_right_file_raises(lines: list[tuple[str, str, str, str]]):
    text = "\n".join(f"{indent}{key}:{space}{value}" for indent, key, space, value in lines)
    for one in read_config(text.encode()).problems:
        assert isinstance(one, ConfigProblem)
        assert 1 <= one.line <= len(lines) + 1


def test_the_servers_ceilings_win_over_a_repository():
    config = read_config(EVERYTHING.encode()).config
    lowered = clamp(config, Ceilings(usd_per_run=1, usd_per_day=400, files=2, wall=60, workers=3, rounds=1))
    assert lowered == replace(
        config,
        limits=replace(config.limits, usd_per_run=1, files=2, wall=60),
        work=replace(config.work, max_parallel=3),
        review=replace(config.review, rounds=1),
    )


def test_without_ceilings_nothing_is_lowered():
    assert clamp(RepoConfig(), Ceilings()) == RepoConfig()


def test_ceilings_come_from_the_servers_settings():
    assert ceilings_of({"usd_per_run": "10", "workers": "8"}) == Ceilings(usd_per_run=10.0, workers=8)


@pytest.mark.parametrize(
    "values", [{"usd": "1"}, {"files": "1.5"}, {"usd_per_run": "lots"}, {"wall": "0"}, {"usd_per_day": "nan"}]
)
def test_a_wrong_ceiling_is_refused(values: dict[str, str]):
    with pytest.raises(ValueError, match=next(iter(values))):
        ceilings_of(values)


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("agent", "run"),
        ("Agent", "run"),
        ("agent:spec", "spec"),
        ("agent:SKIP", "skip"),
        ("agent/done", "state"),
        ("agents", None),
    ],
)
def test_a_label_has_one_meaning_in_any_case(label: str, meaning: str | None):
    assert rc.TriggerLabels().meaning(label) == meaning
