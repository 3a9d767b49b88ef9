"""Loopback only."""

import pytest
from inline_snapshot import snapshot

from bot.playground import server
from bot.playground.webhooks import NotLoopback as OutwardDelivery
from bot.playground.webhooks import require_loopback

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", "localhost.example.com", ""])
def test_it_refuses_to_listen_where_others_could_reach_it(host: str) -> None:
    with pytest.raises(server.NotLoopback):
        server.listen(host)


def test_the_refusal_says_why() -> None:
    with pytest.raises(server.NotLoopback) as caught:
        server.listen("0.0.0.0")
    assert str(caught.value) == snapshot("The playground listens on loopback addresses only, not on '0.0.0.0'.")


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "https://github.com/", "http://127.0.0.1.example.com/", "nonsense"]
)
def test_it_refuses_to_deliver_off_this_machine(url: str) -> None:
    with pytest.raises(OutwardDelivery):
        require_loopback(url)
