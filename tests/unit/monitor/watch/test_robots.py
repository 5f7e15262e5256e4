import pytest

from assent.monitor.watch.robots import parse_robots


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Disallow:", "/a", True),
        ("Disallow: /", "/a", False),
        ("Disallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("Disallow: /a\nAllow: /a/b", "/a/c", False),
        ("Disallow: /*.mp4$", "/x/clip.mp4", False),
        ("Disallow: /*.mp4$", "/x/clip.mp4?a=1", True),
        ("Disallow: /a*b", "/axxb/c", False),
        ("Disallow: /a*b", "/axx", True),
        ("Disallow: /a$", "/a", False),
        ("Disallow: /a$", "/ab", True),
        ("Disallow: /a\nAllow: /a", "/a", True),
        ("Disallow: /", "/robots.txt", True),
    ],
)
def test_the_longest_pattern_that_fits_says(rules: str, path: str, allowed: bool) -> None:
    assert parse_robots(f"User-agent: *\n{rules}", agent="assent").allows(path) is allowed


def test_the_own_group_comes_before_the_one_for_all() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: Assent\nDisallow: /private"
    rules = parse_robots(text, agent="assent")
    assert rules.allows("/open")
    assert not rules.allows("/private")


def test_a_delay_is_bounded() -> None:
    for said, means in (("5", 5.0), ("1e9", 60.0), ("-3", 0.0), ("soon", 0.0)):
        text = f"User-agent: *\nCrawl-delay: {said}"
        assert parse_robots(text, agent="assent").delay == means


def test_what_is_no_robots_txt_forbids_nothing() -> None:
    assert parse_robots("<html>\0\xff</html>", agent="assent").allows("/a")


def test_many_stars_take_no_longer() -> None:
    pattern = "/" + "a*" * 2000 + "b"
    assert parse_robots(f"User-agent: *\nDisallow: {pattern}", agent="x").allows("/" + "a" * 9000)
