"""app.yml asks for exactly what the security promise says, and no event comes that nobody handles."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.deliveries import ROUTED, parse
from handlers import ROUTES
from tests import payloads

pytestmark = pytest.mark.fast

UNASKED = {"installation", "installation_repositories"}
"""Sent to every App; GitHub refuses a manifest that lists them."""


@pytest.fixture
def manifest() -> dict[str, Any]:
    return YAML(typ="safe").load((Path(__file__).parent.parent / "app.yml").read_text())


def test_the_permissions_are_the_ones_promised_and_no_more(manifest: dict[str, Any]):
    assert manifest["default_permissions"] == {
        "metadata": "read",
        "actions": "read",
        "statuses": "read",
        "contents": "write",
        "issues": "write",
        "pull_requests": "write",
        "checks": "write",
    }


def test_the_events_are_the_ones_promised_and_no_more(manifest: dict[str, Any]):
    assert manifest["default_events"] == [
        "issues",
        "issue_comment",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "check_run",
        "check_suite",
        "status",
        "push",
        "repository",
        "label",
    ]


def test_the_app_is_private(manifest: dict[str, Any]):
    assert manifest["public"] is False


def test_every_key_is_one_that_github_knows(manifest: dict[str, Any]):
    known = {
        "name", "url", "hook_attributes", "redirect_url", "callback_urls", "setup_url", "description", "public",
        "default_events", "default_permissions", "request_oauth_on_install", "setup_on_update",
    }  # fmt: skip
    assert set(manifest) <= known
    assert set(manifest["hook_attributes"]) == {"url", "active"}


def test_deliveries_go_where_the_web_process_takes_them(manifest: dict[str, Any]):
    assert manifest["hook_attributes"]["url"].endswith("/webhooks/github")


def test_what_is_asked_for_is_what_is_routed(manifest: dict[str, Any]):
    assert set(manifest["default_events"]) | UNASKED == set(ROUTED)


@pytest.mark.parametrize("name", sorted(payloads.SAMPLES))
def test_a_delivery_of_every_event_reaches_a_handler(name: str):
    event = parse(name, "d1", json.dumps(payloads.SAMPLES[name]).encode())
    assert type(event) in ROUTES
