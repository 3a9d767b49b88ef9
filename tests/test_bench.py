"""`journeyman bench`: lines that a program can read."""

import json

from bot.bench import run_bench


def lines(only: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return run_bench(only=only, say=said.append), said


def test_each_figure_is_one_json_object():
    code, said = lines("G6")
    figures = [json.loads(line) for line in said]
    assert code == 0
    assert [(it.pop("value") > 0, it) for it in figures] == [
        (True, {"name": "G6/start", "unit": "s", "of": "", "samples": 5}),
        (True, {"name": "G6/rss", "unit": "MiB", "of": "", "samples": 5}),
    ]


def test_a_goal_that_is_not_measured_is_said_with_those_that_are():
    assert lines("G99") == (2, ["G99 is not measured by this version; what is: G1, G6, G8, G9, G17"])
