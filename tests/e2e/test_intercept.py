"""`sotto host intercept`: what is asked of any server on port 53 is answered here, by rules of nftables."""

import socket
import subprocess

import pytest

from bench import daemon, messages, netns
from bench.plain import Plain

NOWHERE = "192.0.2.53"  # a server that is none: a host that says so has the address
NOBODY = ("setpriv", "--reuid=65534", "--clear-groups")  # who is not sotto


def reason_not_to():
    """Why there can be no such rules here; None if there can."""
    if reason := netns.reason_not_to():
        return reason
    space = netns.Namespace()
    try:
        netns.run(*space.prefix, "nft", "add table inet none")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"nftables cannot be used here: {error}"
    finally:
        space.remove()
    return None


@pytest.fixture(scope="module")
def nft():
    if reason := reason_not_to():
        pytest.skip(reason)


def intercept(space, *words, status=0):
    done = subprocess.run(
        [*space.prefix, daemon.BINARY, "host", "intercept", *words], capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert not daemon.SANITIZER_REPORT.search(done.stderr), done.stderr
    return done


def ruleset(space):
    return subprocess.run([*space.prefix, "nft", "list", "ruleset"], check=True, capture_output=True, text=True).stdout


def dig(space, name, *options, server=NOWHERE):
    """The address that a program in the namespace gets of a server; None if it gets no answer."""
    done = subprocess.run(
        [*space.prefix, *NOBODY, "dig", f"@{server}", name, "A", "+short", "+time=10", "+tries=1", *options],
        capture_output=True, text=True, timeout=30, check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None


@pytest.fixture
def caught(nft, link, start):
    """caught(listen): a sotto in the near end whose upstream, in the far end, is on port 53, too; nobody else answers there."""
    link.far.ip("addr", "add", f"{NOWHERE}/32", "dev", "lo")
    link.near.ip("route", "add", "default", "via", link.FAR)

    def begin(*listen_at):
        with link.far.entered():
            upstream = Plain(link.FAR, port=53)
        start._upstreams.append(upstream)
        sotto = start.sotto(upstream, prefix=link.near.prefix, listen=list(listen_at), allow=["any"])
        sotto.upstream = upstream
        return sotto

    return begin


def listening(*addresses):
    return [word for each in addresses for word in ("--listen", each)]


@pytest.mark.parametrize("option", ["+notcp", "+tcp"])
@pytest.mark.parametrize("at", ["127.0.0.1:5300", "0.0.0.0:5300"])
def test_any_server_that_is_asked_is_sotto(caught, link, name, option, at):
    sotto = caught(at)
    assert not dig(link.near, name, option)
    intercept(link.near, "--exempt-uid", "0", "--apply", *listening(at))
    assert dig(link.near, name, option) == messages.address_of(name)
    assert sotto.upstream.asked(name)
    intercept(link.near, "--remove")
    assert not dig(link.near, name, option) and ruleset(link.near) == ""


def test_what_sotto_asks_goes_where_it_is_sent(caught, link, name):
    """Its upstream is on port 53: with somebody else exempted, it would come back to sotto."""
    at = "127.0.0.1:5300"
    sotto = caught(at)
    intercept(link.near, "--exempt-uid", "0", "--apply", *listening(at))
    assert dig(link.near, name) == messages.address_of(name)
    intercept(link.near, "--exempt-uid", "64123", "--apply", *listening(at))
    assert not dig(link.near, other := messages.unique_name()) and not sotto.upstream.asked(other)


def test_what_has_the_mark_goes_where_it_is_sent(caught, link):
    at = "127.0.0.1:5300"
    caught(at)
    intercept(link.near, "--exempt-mark", "0x35", "--apply", *listening(at))
    with link.near.entered():
        plain, marked = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    marked.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x35)
    with plain, marked:
        for one in (plain, marked):
            one.settimeout(10)
            one.connect((NOWHERE, 53))
            one.send(messages.query(messages.unique_name()))
        assert plain.recv(512)
        with pytest.raises(ConnectionRefusedError):
            marked.recv(512)


def test_what_stays_on_the_host_is_for_who_listens_there(nft, link):
    """A cache before sotto goes on being asked."""
    intercept(link.near, "--exempt-uid", "64123", "--apply", *listening("127.0.0.1:5300", "[::1]:5300"))
    for family, address in ((socket.AF_INET, "127.0.0.53"), (socket.AF_INET6, "::1"), (socket.AF_INET, link.NEAR)):
        with link.near.entered():
            cache, client = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        with cache, client:
            cache.bind((address, 53))
            cache.settimeout(10)
            client.sendto(b"for the cache", (address, 53))
            assert cache.recv(512) == b"for the cache"


@pytest.fixture
def star(namespaces):
    made = netns.Star(2)
    yield made
    made.remove()


@pytest.mark.parametrize("at", ["0.0.0.0:5300", "10.53.1.1:5300"])
def test_what_routed_clients_ask_is_answered(nft, star, start, name, at):
    client, server = star.ends
    star.middle.sysctl("ipv4/ip_forward", 1)
    for end, n in ((client, 1), (server, 2)):
        end.ip("route", "add", "default", "via", f"10.53.{n}.1")
    star.middle.ip("route", "add", f"{NOWHERE}/32", "via", star.address(2))
    server.ip("addr", "add", f"{NOWHERE}/32", "dev", "lo")
    with server.entered():
        upstream = start.upstream(host=star.address(2))
    start.sotto(upstream, prefix=star.middle.prefix, listen=[at])
    assert not dig(client, name)
    intercept(star.middle, "--exempt-uid", "0", "--apply", *listening(at))
    assert dig(client, name) == messages.address_of(name)


# -- the rules --


def test_they_are_printed_and_nft_takes_them(nft, link):
    words = ("--exempt-uid", "64123", *listening("127.0.0.1:5300", "[::]:5301"))
    printed = intercept(link.near, *words)
    assert ruleset(link.near) == ""
    netns.run(*link.near.prefix, "sh", "-c", f"echo '{printed.stdout}' | nft -f -")
    by_hand = ruleset(link.near)
    assert "skuid 64123" in by_hand and "127.0.0.1:5300" in by_hand and "redirect to :5301" in by_hand
    intercept(link.near, *words, "--apply")
    assert ruleset(link.near) == by_hand


def test_applied_anew_they_replace_those_before_and_no_others(nft, link):
    netns.run(*link.near.prefix, "nft", "add table inet mine")
    for port in (5300, 5301):
        intercept(link.near, "--exempt-uid", "0", "--apply", *listening(f"127.0.0.1:{port}"))
    now = ruleset(link.near)
    assert "5301" in now and "5300" not in now and "table inet mine" in now
    for _ in range(2):  # that there are none is no failure
        intercept(link.near, "--remove")
    assert "sotto" not in ruleset(link.near) and "table inet mine" in ruleset(link.near)


@pytest.mark.parametrize(
    "at, escapes",
    [(["127.0.0.1:53"], ["IPv6 goes", "other hosts ask over IPv4"]), (["0.0.0.0:53"], ["IPv6 goes"]),
     (["0.0.0.0:53", "[::]:53"], []), (["[::1]:53"], ["IPv4 goes", "other hosts ask over IPv6"])],
    ids=str,
)
def test_what_escapes_is_told(at, escapes):
    done = subprocess.run(
        [daemon.BINARY, "host", "intercept", "--exempt-uid", "0", *listening(*at)], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert len(lines) == len(escapes) and all(any(words in line for line in lines) for words in escapes), lines


@pytest.mark.parametrize(
    "words, why",
    [([], "whose questions are left alone"), (["--exempt-uid", "root"], "no number"), (["--exempt-mark", "4294967296"], "no number"), (["--exempt-mark", "0"], "no mark"),
     (["--exempt-uid", "1", "--exempt-mark", "1"], "one of"), (["--remove", "--apply"], "stands alone"),
     (["--exempt-uid", "1", "--root", "/"], "no option of intercept")],
    ids=" ".join,
)
def test_wrong_use_is_told(words, why):
    done = subprocess.run([daemon.BINARY, "host", "intercept", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 64 and why in done.stderr, done


def test_a_host_without_nft_is_told(namespaces, link, tmp_path):
    """In a place where there are no other programs than sotto."""
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "unchanged", "sh", "-c", 'mount --bind "$0" /usr/sbin && exec "$@"', tmp_path,
         *link.near.prefix, daemon.BINARY, "host", "intercept", "--exempt-uid", "0", "--apply"],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 1 and "nft: it is not there" in done.stderr, done
