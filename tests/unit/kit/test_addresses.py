import pytest

from assent.kit.addresses import is_public, public_addresses, resolve
from assent.kit.errors import FetchError, UnsafeAddressError


@pytest.mark.parametrize(
    "address",
    """
    127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
    100.64.0.1 100.100.100.200 168.63.129.16 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1
    203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1
    64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 100::1 2001::1 2001:db8::1 2002:7f00:1:: fe80::1 fec0::1
    fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 3fff::1 5f00::1
    127.1 2130706433 0x7f000001 localhost 1.2.3.4/8
    """.split(),  # noqa: SIM905 - easier to read than a list
)
def test_what_is_not_public_is_told(address: str) -> None:
    assert not is_public(address)


def test_no_address_is_not_public() -> None:
    assert not is_public("")


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_told(address: str) -> None:
    assert is_public(address)


def test_one_private_address_refuses_them_all() -> None:
    assert public_addresses("a.example", ["8.8.8.8"]) == ["8.8.8.8"]
    with pytest.raises(UnsafeAddressError, match=r"a\.example leads into a private network"):
        public_addresses("a.example", ["8.8.8.8", "127.0.0.1"])


@pytest.mark.enable_socket
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1"])
def test_numbers_are_resolved_as_the_system_does(host: str) -> None:
    assert resolve(host, 80) == ("127.0.0.1",)


@pytest.mark.enable_socket
def test_a_name_without_address_is_told() -> None:
    with pytest.raises(FetchError, match="no address is known"):
        resolve("a" * 70 + ".example", 80)
