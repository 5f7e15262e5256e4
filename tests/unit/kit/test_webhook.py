import base64
import hashlib
import hmac

import pytest

from assent.kit.errors import IntegrityError
from assent.kit.webhook import KEY, TOLERANCE_S, new_key, read_message, sign_message

BODY = b'{"type":"release.made","data":{"release":"0a"}}'
NOW = 1_763_640_000


def signed(key: str = KEY, at: int = NOW, name: str = "msg_1") -> dict[str, str]:
    return sign_message(BODY, id=name, at=at, keys=[key])


def test_a_message_is_signed_as_standard_webhooks_writes_it() -> None:
    """Computed here by hand, from the specification's words."""
    raw = base64.b64decode(KEY.removeprefix("whsec_"))
    digest = hmac.new(raw, b"msg_1.1763640000." + BODY, hashlib.sha256).digest()
    assert signed() == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1763640000",
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def test_the_specifications_own_example() -> None:
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    made = sign_message(body, id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, keys=[key])
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_reads_it_by_the_old_key_and_by_the_new() -> None:
    old, new = new_key(), new_key()
    both = sign_message(BODY, id="msg_1", at=NOW, keys=[new, old])
    for keys in ([old], [new], [old, new]):
        assert read_message(BODY, both, keys=keys, now=NOW)["type"] == "release.made"
    upper = {name.title(): value for name, value in both.items()}
    assert read_message(BODY, upper, keys=[new], now=NOW)


def test_another_sender_or_another_body_is_refused() -> None:
    good = signed()
    wrong: list[tuple[bytes, dict[str, str]]] = [
        (BODY, signed(new_key())),
        (BODY + b" ", good),
        (BODY, good | {"webhook-id": "msg_2"}),
        (BODY, good | {"webhook-timestamp": str(NOW + 1)}),
        (BODY, good | {"webhook-signature": ""}),
        (BODY, good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}),
        (BODY, good | {"webhook-signature": "v1," + "\xe9" * 44}),
        (b" " * (1 << 17), good),
    ]
    for body, headers in wrong:
        with pytest.raises(IntegrityError, match="not signed"):
            read_message(body, headers, keys=[KEY], now=NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
@pytest.mark.parametrize("value", ["", "\u0663" * 10, "-1", "9" * 20, "1e9"])
def test_a_message_without_its_headers_is_none(name: str, value: str) -> None:
    headers = signed() | {name: value}
    with pytest.raises(IntegrityError):
        read_message(BODY, headers, keys=[KEY], now=NOW)


@pytest.mark.parametrize("late", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
def test_a_late_or_early_message_is_refused(late: int) -> None:
    with pytest.raises(IntegrityError, match="too old"):
        read_message(BODY, signed(), keys=[KEY], now=NOW + late)
    sign = 1 if late > 0 else -1
    assert read_message(BODY, signed(), keys=[KEY], now=NOW + late - sign)


def test_a_message_that_comes_again_is_refused() -> None:
    seen: set[str] = set()
    read_message(BODY, signed(), keys=[KEY], now=NOW, seen=seen)
    seen.add("msg_1")
    with pytest.raises(IntegrityError, match="handled before"):
        read_message(BODY, signed(), keys=[KEY], now=NOW, seen=seen)


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_!!", "whsec_" + "A" * 8, "\u00e9"])
def test_a_key_that_is_none_signs_nothing(key: str) -> None:
    with pytest.raises(IntegrityError, match="key"):
        signed(key)


def test_a_signed_list_is_no_message() -> None:
    made = sign_message(b"[]", id="msg_1", at=NOW, keys=[KEY])
    with pytest.raises(IntegrityError, match="JSON object"):
        read_message(b"[]", made, keys=[KEY], now=NOW)
