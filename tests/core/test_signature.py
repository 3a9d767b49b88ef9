"""A delivery is believed only when one of our secrets signed its exact bytes."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.redact import Secret
from bot.core.signature import verify, well_formed

pytestmark = pytest.mark.fast

OLD, NEW = Secret("old secret"), Secret("new secret")


def sign(raw: bytes, secret: str = "new secret") -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def test_githubs_own_example_verifies():
    # Secret, payload and signature as GitHub's documentation gives them for testing an implementation.
    given_ = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verify(b"Hello, World!", given_, secrets=[Secret("It's a Secret to Everybody")])


@pytest.mark.parametrize("secret", ["old secret", "new secret"])
def test_both_secrets_of_a_rotation_verify(secret: str):
    assert verify(b"{}", sign(b"{}", secret), secrets=[OLD, NEW])


def test_a_byte_changed_after_signing_is_refused():
    assert not verify(b"{ }", sign(b"{}"), secrets=[NEW])


def test_a_secret_that_is_not_ours_is_refused():
    assert not verify(b"{}", sign(b"{}", "third"), secrets=[OLD, NEW])


def test_an_empty_secret_never_verifies():
    assert not verify(b"{}", sign(b"{}", ""), secrets=[Secret("")])


def test_without_secrets_nothing_verifies():
    assert not verify(b"{}", sign(b"{}"), secrets=[])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha1=" + hmac.new(b"new secret", b"{}", hashlib.sha1).hexdigest(),
        sign(b"{}").removeprefix("sha256="),
        sign(b"{}").upper(),
        sign(b"{}") + "\n",
        sign(b"{}")[:-1],
        sign(b"{}") + "0",
        "sha256=" + "é" * 64,
        "sha256=" + "٣" * 64,
    ],
)
def test_any_other_shape_is_refused_without_raising(signature: str | None):
    assert not well_formed(signature)
    assert not verify(b"{}", signature, secrets=[NEW])


@given(raw=st.binary(), signature=st.text())
def test_no_text_in_the_header_raises(raw: bytes, signature: str):
    assert not verify(raw, signature, secrets=[NEW])


@given(raw=st.binary())
def test_what_we_sign_verifies(raw: bytes):
    assert verify(raw, sign(raw), secrets=[OLD, NEW])
