import pytest

from skypemgr.settings import _broker_url


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://broker.example:6379/2", "redis://broker.example:6379/2"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
    ],
)
def test_work_waits_in_the_database_of_the_broker_that_was_named(url: str, broker: str) -> None:
    assert _broker_url(url) == broker
