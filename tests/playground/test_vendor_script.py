"""Scripts, the record of calls, the prompt cache and the loopback rule of the scripted vendor."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.vendor import OPENAI_KEY, Call, Fault, Result, Script, Unscripted, start_vendor, tools
from bot.playground.vendor_cache import PrefixCache, tokens
from bot.playground.vendor_replies import header

pytestmark = pytest.mark.fast


def call(name: str = "work/task", turn: int = 1, results: tuple[Result, ...] = ()) -> Call:
    role, step = name.split("/")
    return Call("openai", "gpt-6.2-sol", role, step, "v1", "", ("Go.",), results, ("bash",), None, turn, 1)


def ask(vendor, **changes):
    asked = {
        "model": "gpt-6.2-sol",
        "instructions": "journeyman:work/task@v1",
        "input": "Go.",
        "store": False,
    } | changes
    return httpx2.post(vendor.url_openai + "/responses", json=asked, headers={"Authorization": f"Bearer {OPENAI_KEY}"})


@pytest.mark.parametrize(
    ("system", "found"),
    [
        ("journeyman:spec/draft@v3\nWrite.", ("spec", "draft", "v3")),
        ("journeyman:spec/draft@v3", ("spec", "draft", "v3")),
        ("Write. journeyman:spec/draft@v3", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_a_call_is_named_by_the_first_line_of_its_system_prompt(system, found):
    assert header(system) == found


def test_replies_follow_the_turns_so_that_a_replay_hears_the_same():
    script = Script().on("work/task", "one", "two")
    assert [script(call(turn=turn)) for turn in (1, 2, 3, 1)] == ["one", "two", "two", "one"]


def test_a_sequence_follows_the_calls():
    script = Script().sequence("spec/draft", "first", "second")
    assert [script(call("spec/draft")) for _ in range(3)] == ["first", "second", "second"]


def test_a_reply_may_be_made_from_the_call():
    script = Script().on("work/task", lambda asked: f"turn {asked.turn}")
    assert script(call(turn=4)) == "turn 4"


def test_a_star_speaks_for_steps_without_their_own():
    script = Script().on("*", "any").on("work/task", "own")
    assert [script(call("spec/draft")), script(call())] == ["any", "own"]


def test_faults_come_first_and_only_so_often():
    script = (
        Script()
        .fault("work/task", Fault("overloaded"), times=2)
        .fault("work/task", Fault("cut"))
        .on("work/task", "real")
    )
    assert [script(call()) for _ in range(5)] == [
        Fault("overloaded"),
        Fault("overloaded"),
        Fault("cut"),
        "real",
        "real",
    ]


def test_an_unscripted_call_is_loud():
    with pytest.raises(Unscripted, match="spec/draft"):
        Script().on("work/task", "one")(call("spec/draft"))


def test_an_unscripted_call_is_refused_over_http_with_its_name():
    vendor = start_vendor(Script())
    answer = ask(vendor)
    vendor.stop()
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        "no reply is scripted for 'work/task', turn 1",
    )


def test_a_script_that_fails_says_so_and_is_not_retried():
    vendor = start_vendor(Script().on("work/task", lambda asked: {}["missing"]))
    answer = ask(vendor)
    vendor.stop()
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "the script failed: KeyError('missing')")


def test_what_was_asked_can_be_read_from_another_process():
    vendor = start_vendor(Script().on("work/task", tools(("bash", {"command": "ls"}))))
    ask(vendor)
    seen = httpx2.get(vendor.url_calls).json()
    vendor.stop()
    assert [(row["vendor"], row["outcome"], row["call"]["step"], row["status"]) for row in seen] == [
        ("openai", "ok", "task", 200)
    ]


def test_no_key_is_ever_shown_by_the_control_endpoint():
    vendor = start_vendor(Script().on("work/task", "Done."))
    ask(vendor)
    shown = httpx2.get(vendor.url_calls).text
    vendor.stop()
    assert OPENAI_KEY not in shown


def test_a_refused_request_is_recorded_with_its_reason():
    vendor = start_vendor(Script())
    ask(vendor, temperature=1)
    seen = vendor.calls
    vendor.stop()
    assert [(row.outcome, row.status, row.call) for row in seen] == [("refused", 400, None)]
    assert "temperature" in seen[0].error


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", ""])
def test_it_serves_this_machine_only(host):
    with pytest.raises(ValueError, match="not a loopback address"):
        start_vendor(Script(), host=host)


def test_a_stopped_vendor_frees_its_port():
    first = start_vendor(Script())
    port = int(first.url_openai.split(":")[2].split("/")[0])
    first.stop()
    second = start_vendor(Script(), port)
    second.stop()
    assert second.url_openai == first.url_openai


BLOCK = "x" * 4000


def test_a_prefix_is_read_up_to_where_it_changes():
    cache = PrefixCache()
    cache.measure("m", [BLOCK, BLOCK, "a"], [0, 1, 2])
    again = cache.measure("m", [BLOCK, "changed" + BLOCK, "a"], [0, 1, 2])
    assert again.read == tokens(f'"{BLOCK}"')


def test_a_short_prefix_is_not_cached():
    cache = PrefixCache()
    assert cache.measure("m", ["short"], [0]).written == 0


def test_caches_of_two_keys_do_not_mix():
    cache = PrefixCache()
    cache.measure("m/key1", [BLOCK], [0])
    assert cache.measure("m/key2", [BLOCK], [0]).read == 0


def test_an_entry_too_far_before_the_breakpoint_is_not_found():
    cache = PrefixCache()
    cache.measure("m", [BLOCK], [0])
    many = [BLOCK, *(str(n) for n in range(30))]
    assert cache.measure("m", many, [len(many) - 1]).read == 0


@given(
    blocks=st.lists(st.sampled_from(["a", "b", BLOCK]), min_size=1, max_size=6),
    more=st.lists(st.sampled_from(["a", BLOCK]), max_size=3),
)
def test_a_longer_conversation_never_reads_less_than_was_written(blocks, more):
    cache = PrefixCache()
    first = cache.measure("m", blocks, [len(blocks) - 1])
    grown = [*blocks, *more]
    second = cache.measure("m", grown, [len(blocks) - 1, len(grown) - 1])
    assert second.read >= first.written
    assert second.total == sum(tokens(f'"{block}"') for block in grown)
