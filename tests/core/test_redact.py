"""Every form in which a secret we hold can leave is found; the value is never in what is said of it."""

import base64
import string
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.redact import Held, Secret, random_part, redact, scan

pytestmark = pytest.mark.fast
patient = settings(deadline=None, max_examples=100)

ALPHABET = string.ascii_letters + string.digits
VALUES = st.text(ALPHABET, min_size=20, max_size=60)
AROUND = st.text(string.ascii_lowercase + " .,:\n", max_size=40)
KEY = "sk-ant-api03-9fK2mQ7xLp4TzR8vBn3Wd6YcHs5Jg1Ea"


def rules(text: str, *secrets: str) -> set[str]:
    return {hit.rule for hit in scan(text, [Secret(each) for each in secrets])}


@patient
@given(VALUES, AROUND, AROUND)
def test_the_value_itself_is_found(value: str, before: str, after: str):
    assert "held secret" in rules(before + value + after, value)


@patient
@given(VALUES, st.data())
def test_any_twelve_characters_of_it_are_found(value: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(value) - 12))
    assert "held secret" in rules(f"see {value[start : start + 12]} there", value)


@patient
@given(VALUES)
def test_reversed_it_is_found(value: str):
    assert "held secret" in rules(f"x {value[::-1]} y", value)


@patient
@given(VALUES, st.binary(max_size=20), st.binary(max_size=20))
def test_in_base64_of_anything_around_it_it_is_found(value: str, before: bytes, after: bytes):
    encoded = base64.b64encode(before + value.encode() + after).decode()
    assert "held secret in base64" in rules(encoded, value)


@patient
@given(VALUES)
def test_in_hex_it_is_found_in_both_cases(value: str):
    assert "held secret in hex" in rules(value.encode().hex().upper(), value)


@patient
@given(VALUES)
def test_url_encoded_it_is_found(value: str):
    assert "held secret" in rules("?t=" + "".join(f"%{ord(char):02X}" for char in value), value)


@patient
@given(VALUES, st.integers(1, 11))
def test_wrapped_over_lines_it_is_found(value: str, width: int):
    wrapped = "\n".join(value[at : at + width] for at in range(0, len(value), width))
    assert "held secret" in rules(wrapped, value)


def test_special_characters_quoted_for_a_url_are_found():
    value = "pa/ss+wo=rd&lo?ng#en@ough"
    assert "held secret" in rules(quote(value, safe=""), value)


def test_a_known_prefix_alone_is_no_secret():
    assert rules("keys start with sk-ant-api03- in our docs", KEY) == set()


def test_a_public_key_is_not_taken_for_the_private_one():
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7x9Kq2mVt4LpZ8Rs1"
    held = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    assert rules("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzzzz", held) == set()
    assert "held secret" in rules(body[45:60], held)


def test_of_a_database_url_the_password_is_the_secret():
    url = "postgresql://journeyman:Zk4pQ9vLm2Xw7Rt1@db.example.org/app"
    assert random_part(url) == "Zk4pQ9vLm2Xw7Rt1"
    assert rules("postgresql://journeyman:…@db.example.org/app", url) == set()


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("github token", "ghs_12345_eyJhbGciOiJS.eyJpc3MiOiIx-MjM.sig-nature_part"),
        ("github token", "ghp_" + "a1B2" * 9),
        ("github token", "github_pat_" + "a1B2" * 12),
        ("private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
        ("private key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("anthropic key", KEY),
        ("openai key", "sk-proj-" + "a1B2_" * 8),
        ("openai key", "sk-" + "a1B2" * 10),
        ("aws key", "AKIA" + "Q7XL" * 4),
        ("slack token", "xoxb-" + "1234567890-" * 3),
        ("google key", "AIza" + "a1B2c" * 7),
        ("signed token", "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0In0.c2lnbmF0dXJlLXBhcnQtbG9uZw"),
    ],
)
def test_shapes_that_are_secrets_whoever_holds_them(rule: str, text: str):
    assert rule in rules(f"before {text} after")


@pytest.mark.parametrize(
    "text",
    [
        "commit 9f3e2101c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7",
        "class sk-loading-skeleton-circle-with-a-very-long-name",
        "/agent retry, `pytest -q`, sha256=7fdfe0e5461121b288ddcb095be73a1a6c167621162df1da22690dc4a2d7fbdc",
    ],
)
def test_ordinary_text_is_left_alone(text: str):
    assert scan(text, [Secret(KEY)]) == ()


@patient
@given(VALUES, AROUND, AROUND)
def test_a_redacted_log_line_holds_nothing_of_it(value: str, before: str, after: str):
    line = redact(f"{before}{value}{after}{value[::-1]}", [Secret(value)])
    assert scan(line, [Secret(value)]) == ()


def test_a_redacted_secret_leaves_stars_and_nothing_else():
    assert redact(f"a {KEY} b {KEY[15:30]} c", [Secret(KEY)]) == "a *** b *** c"


@patient
@given(AROUND)
def test_a_log_line_without_a_secret_is_unchanged(line: str):
    assert redact(line, [Secret(KEY)]) == line


def test_what_is_said_of_a_hit_never_holds_the_value():
    held = Held([Secret(KEY)])
    assert KEY[13:] not in repr(scan(f"x {KEY} y", held))
    assert KEY[13:] not in repr(held)


def test_a_secret_shows_as_stars():
    assert f"{Secret(KEY)} {Secret(KEY)!r}" == "Secret('***') Secret('***')"
