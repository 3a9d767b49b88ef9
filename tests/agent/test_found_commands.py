"""With nothing declared, the commands are found in the files that people run a repository by."""

import json

import pytest

from bot.agent import found_commands

pytestmark = pytest.mark.fast


def found(files: dict[str, str]) -> list[str]:
    return [item.run for item in found_commands.found({path: text.encode() for path, text in files.items()})]


def package(**scripts: str) -> dict[str, str]:
    return {"package.json": json.dumps({"scripts": scripts})}


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({}, []),
        ({"README.md": "make test"}, []),
        ({"Makefile": "test: build\n\tpytest\n"}, ["make test"]),
        ({"Makefile": ".PHONY: test\ncheck:\n\truff\ntest:\n\tpytest\n"}, ["make check", "make test"]),
        ({"Makefile": "test := 1\ntesting:\n"}, []),
        ({"justfile": "test:\n  pytest\n"}, ["just test"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, ["python -m pytest"]),
        ({"pyproject.toml": "[dependency-groups]\ndev = ['pytest>=9']\n"}, ["python -m pytest"]),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, []),
        ({"pyproject.toml": "broken [", "tests/test_a.py": ""}, ["python -m unittest discover -s tests"]),
        ({"setup.cfg": "[tool:pytest]\n"}, ["python -m pytest"]),
        ({"requirements-dev.txt": "ruff\npytest==9\n"}, ["python -m pytest"]),
        ({"tests/conftest.py": ""}, ["python -m pytest"]),
        ({"tox.ini": "[tox]\n"}, ["python -m tox"]),
        ({"tox.ini": "[pytest]\n"}, ["python -m pytest"]),
        ({"test_a.py": ""}, ["python -m unittest discover"]),
        ({"tests/test_a.py": "", "tests/__init__.py": ""}, ["python -m unittest discover"]),
        (
            {"pkg/__init__.py": "", "pkg/tests/__init__.py": "", "pkg/tests/test_a.py": ""},
            ["python -m unittest discover"],
        ),
        ({"pkg/deep/test_a.py": ""}, []),
        (package(test="jest"), ["npm test"]),
        (package(test='echo "Error: no test specified" && exit 1', lint="eslint ."), ["npm run lint"]),
        (package(test="vitest", typecheck="tsc", lint="eslint"), ["npm test", "npm run typecheck", "npm run lint"]),
        (package(typecheck="tsc", types="tsc -b"), ["npm run typecheck"]),
        ({**package(test="vitest"), "yarn.lock": ""}, ["yarn test"]),
        ({**package(test="x", typecheck="tsc"), "pnpm-lock.yaml": ""}, ["pnpm test", "pnpm run typecheck"]),
        ({**package(test="x"), "bun.lock": ""}, ["bun run test"]),
        ({"package.json": "[]"}, []),
        ({"package.json": '{"scripts": {"test": 7}}'}, []),
        ({"package.json": "{" * 100_000}, []),
        ({"playwright.config.ts": ""}, ["npx playwright test"]),
        ({"apps/site/playwright.config.ts": ""}, ["npx playwright test -c apps/site/playwright.config.ts"]),
        ({"node_modules/x/playwright.config.ts": ""}, []),
        ({"go.mod": "module x"}, ["go test ./..."]),
        ({"Cargo.toml": ""}, ["cargo test"]),
        ({**package(test="playwright test"), "playwright.config.ts": ""}, ["npm test"]),
        ({"web/package.json": '{"scripts": {"test": "vitest"}}', "web/yarn.lock": ""}, ["yarn --cwd web test"]),
        ({"api/pyproject.toml": "[tool.pytest.ini_options]", "api/tests/test_a.py": ""}, ["python -m pytest api"]),
        ({"a b/go.mod": "", "c/Cargo.toml": ""}, ["go -C 'a b' test ./...", "cargo test --manifest-path c/Cargo.toml"]),
        ({"web/package.json": '{"scripts": {"test": "vitest"}}', "go.mod": ""}, ["go test ./..."]),
        ({"deep/web/package.json": '{"scripts": {"test": "vitest"}}'}, []),
        (
            {"Makefile": "test:\n", "pyproject.toml": "[tool.pytest.ini_options]", **package(test="jest")},
            ["make test", "python -m pytest", "npm test"],
        ),
    ],
)
def test_commands_are_found(files: dict[str, str], commands: list[str]):
    assert found(files) == commands


def test_what_is_found_is_not_called_declared():
    assert [item.declared for item in found_commands.found({"go.mod": b""})] == [False]


def test_bytes_that_are_no_text_find_nothing():
    assert found_commands.found({"pyproject.toml": b"\xff\xfe", "package.json": b"\xff", "Makefile": b"\x00"}) == ()


def test_tests_are_known_by_folder_or_name():
    paths = [
        "tests/data/a.json", "pkg/test_a.py", "pkg/a_test.py", "conftest.py", "src/a.test.ts", "src/a.spec.jsx", "a_test.go",
        "src/__snapshots__/a.snap", "AppTest.java", "e2e/login.ts",
    ]  # fmt: skip
    code = ["pkg/testing_tools.py", "pkg/contest.py", "src/attest.ts", "latest/a.py", "test.md", "Testament.java"]
    assert found_commands.test_paths([*paths, *code]) == tuple(sorted(paths))


def test_only_what_decides_is_read():
    paths = ["Makefile", "web/package.json", "web/deep/package.json", "src/a.py", "README.md", "pyproject.toml"]
    assert found_commands.to_read(paths) == ("Makefile", "pyproject.toml", "web/package.json")
