"""Signing with a time-stamping authority of the test's own, on loopback."""

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers import Mood, TimeStampingAuthority, time_stamping

from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.manifest import Plan
from assent.kit.c2pa.read import read
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.errors import SealError

MP4 = "video/mp4"
pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TimeStampingAuthority]:
    with time_stamping(tmp_path / "tsa") as running:
        yield running


def stamp(media: dict[str, bytes], plan: Plan, chain: Chain, url: str) -> io.BytesIO:
    sink = io.BytesIO()
    footage = Ingredient(title="footage", mime=MP4, stream=io.BytesIO(media[MP4]))
    source = io.BytesIO(media[MP4])
    sign(source, sink, mime=MP4, plan=plan, chain=chain, ingredient=footage, tsa_url=url)
    return sink


def test_the_moment_is_believed_under_a_trusted_authority_only(
    media: dict[str, bytes], plan: Plan, chain: Chain, authority: TimeStampingAuthority
) -> None:
    sealed = stamp(media, plan, chain, authority.url)
    known = read(sealed, mime=MP4, anchors_pem=chain.root_pem + authority.root_pem)
    assert (known.state, known.problems) == ("trusted", ())
    assert known.signed_at is not None
    assert abs(known.signed_at - datetime.now(UTC)) < timedelta(minutes=5)
    unknown = read(sealed, mime=MP4, anchors_pem=chain.root_pem)
    assert (unknown.state, unknown.signed_at) == ("trusted", None)
    assert unknown.problems[0].startswith("timeStamp.untrusted")


@pytest.mark.parametrize("mood", ["failing", "garbled", "lying", "refusing"])
def test_an_answer_that_is_no_time_stamp_fails_closed(
    media: dict[str, bytes], plan: Plan, chain: Chain, authority: TimeStampingAuthority, mood: Mood
) -> None:
    authority.mood = mood
    with pytest.raises(SealError, match="credential could not be signed"):
        stamp(media, plan, chain, authority.url)
    assert authority.asked == 1


def test_a_slow_authority_is_waited_for(
    media: dict[str, bytes], plan: Plan, chain: Chain, authority: TimeStampingAuthority
) -> None:
    authority.mood, authority.patience_s = "slow", 1.0
    sealed = stamp(media, plan, chain, authority.url)
    known = read(sealed, mime=MP4, anchors_pem=chain.root_pem + authority.root_pem)
    assert known.signed_at is not None
