import os
from pathlib import Path

import pytest
from served import answer, serve

from assent.kit.errors import FetchError, InputError, UnsafeAddressError
from assent.verify.remote import fetched, fetched_bundle, name_in

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_file_at_an_address_has_no_name_and_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    told: list[tuple[str, int, int]] = []
    body = os.urandom(3 << 20)
    with (
        serve(answer(body)) as served,
        fetched(served.url, own=True, progress=lambda *state: told.append(state)) as path,
    ):
        assert path.read_bytes() == body
        assert list(tmp_path.iterdir()) == []
    assert not path.exists()
    assert told[-1] == ("fetching (MB)", 3, 0)


def test_an_answer_that_isnt_the_file_is_told() -> None:
    with (
        serve(answer(b"<h1>Not here</h1>", "404 Not Found")) as served,
        pytest.raises(FetchError, match="answers 404"),
        fetched(served.url, own=True),
    ):
        pass


@pytest.mark.parametrize("door", [fetched, fetched_bundle])
def test_a_strangers_address_leads_into_no_private_network(door: object) -> None:
    with (
        serve(answer(b"secret")) as served,
        pytest.raises(UnsafeAddressError),
        door(served.url),  # type: ignore[operator]
    ):
        pass
    assert served.requests == []


def test_a_bundle_at_an_address_is_no_larger_than_one() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    with (
        serve(said) as served,
        pytest.raises(FetchError, match="offers more"),
        fetched_bundle(served.url, own=True),
    ):
        pass


def test_what_a_file_at_an_address_is_called() -> None:
    assert name_in("https://a.example/films/a%20b.mp4?x=1") == "a b.mp4"
    assert name_in("https://a.example/") == "a.example"
    assert name_in("https://a.example/%1b%5b31mred.mp4") == "[31mred.mp4"
    with pytest.raises(InputError):
        name_in("http://[::1")
