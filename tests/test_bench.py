"""`journeyman bench`: lines that a program can read."""

import json

from bot.bench import run_bench


def lines(only: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return run_bench(only=only, say=said.append), said


def test_each_figure_is_one_json_object_with_its_samples():
    code, said = lines("G6")
    figures = [json.loads(line) for line in said]
    assert code == 0
    assert [(it["name"], it["unit"], it["of"], len(it["samples"])) for it in figures] == [
        ("G6/start", "s", None, 5),
        ("G6/rss", "MiB", None, 5),
    ]
    assert all(min(it["samples"]) <= it["value"] <= max(it["samples"]) for it in figures)


def test_a_goal_that_is_not_measured_is_said_with_those_that_are():
    assert lines("G99") == (2, ["G99 is not measured by this version; what is: G1, G6, G8, G9, G17"])
