"""Views and rules chosen by what a forwarder in front says of its client: the client subnet of RFC 7871, and what dnsmasq sends by
add-mac and add-cpe-id. Who is in `trusted-forwarders` is believed, and nobody else; and none of it goes any further."""

import base64
import itertools
import struct

import pytest

from bench import behaviours, eventually, messages
from bench.cached import a, alias, cache, says
from bench.clients import Tcp, Udp, addresses, ask, parse, rcode_name
from bench.messages import ECS, opt, option, query, unique_name
from test_conformance_options import MALFORMED_SUBNETS, subnet
from test_plain_upstreams import start_plain  # noqa: F401: a fixture
from test_real_parts import program, serve  # noqa: F401: a fixture
from test_reload import reload

FORWARDER, OTHER = "127.0.0.5", "127.0.0.6"
MAC, DEVICE, CPE = 65001, 65073, 65074
DESK, STRANGER = bytes.fromhex("001122aabbcc"), bytes.fromhex("001122aabbcd")

# Of each view, who is in it, and the address that it is told of every name below view.test.
VIEWS = {
    "desk": ({"macs": ["00-11-22-AA-BB-CC"]}, "192.0.2.1"),
    "den": ({"cpe-ids": ["den"]}, "192.0.2.2"),
    "net": ({"clients": ["10.0.0.0/24"]}, "192.0.2.3"),
    "host": ({"clients": ["10.0.0.5"]}, "192.0.2.4"),
    "six": ({"clients": ["fd00::/16"]}, "192.0.2.5"),
    "itself": ({"clients": [FORWARDER]}, "192.0.2.6"),
    "other": ({"clients": [OTHER]}, "192.0.2.7"),
}
NOBODY = "192.0.2.8"  # who is in none
RULED = "192.0.2.9"  # of rule.test, for 10.0.0.4 alone


def net(text):
    address, bits = text.split("/")
    octets = bytes(map(int, address.split(".")))
    return subnet(1, int(bits), 0, octets[: (int(bits) + 7) // 8])


def settings(**more):
    return {
        "trusted-forwarders": [FORWARDER],
        "views": {name: {**who, "rules": [{"suffix": "view.test", "a": told}]} for name, (who, told) in VIEWS.items()},
        "rules": [{"suffix": "view.test", "a": NOBODY}, {"suffix": "rule.test", "clients": ["10.0.0.4"], "a": RULED}],
        "cache": cache(),
        **more,
    }


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    return shared.sotto(upstream, **settings())


def heard(sotto, options, name=None, source=FORWARDER, over=Udp):
    """The answer to who sends these options from there."""
    with over(sotto.address, source=source) as client:
        return parse(client.ask(query(name or unique_name() + ".view.test", edns=opt(options=options))))


SAID = {
    "a MAC address": (option(MAC, DESK), "desk"),
    "a MAC address as text": (option(DEVICE, b"00:11:22:aa:BB:cc"), "desk"),
    "a MAC address in base64": (option(DEVICE, base64.b64encode(DESK)), "desk"),
    "another MAC address": (option(MAC, STRANGER), "itself"),
    "less than a MAC address": (option(MAC, DESK[:5]), "itself"),
    "a CPE": (option(CPE, b"den"), "den"),
    "another CPE": (option(CPE, b"DEN"), "itself"),
    "an address": (net("10.0.0.5/32"), "host"),
    "another address of the network": (net("10.0.0.6/32"), "net"),
    "the network": (net("10.0.0.0/24"), "net"),
    "a part of the network, with the host in it": (net("10.0.0.4/30"), "net"),
    "more than the network": (net("10.0.0.0/23"), None),
    "an address of nobody": (net("10.0.1.5/32"), None),
    "an address that is kept back": (net("0.0.0.0/0"), "itself"),
    "an IPv6 network": (subnet(2, 56, 0, b"\xfd" + bytes(6)), "six"),
    "an IPv4 address as one of IPv6": (subnet(2, 128, 0, bytes(10) + b"\xff\xff\x0a\0\0\5"), "host"),
    "a MAC address, a CPE and an address": (net("10.0.0.5/32") + option(CPE, b"den") + option(MAC, DESK), "desk"),
    "a CPE and an address": (net("10.0.0.5/32") + option(CPE, b"den"), "den"),
    "what nobody knows, and an address": (option(MAC, STRANGER) + option(CPE, b"x") + net("10.0.0.5/32"), "host"),
    "the same twice": (option(MAC, DESK) * 2 + net("10.0.0.5/32") * 2, "desk"),
    "nothing": (b"", "itself"),
    "something else": (option(messages.COOKIE, b"12345678"), "itself"),
}  # fmt: skip


def told(view):
    return [VIEWS[view][1] if view else NOBODY]


@pytest.mark.parametrize("what", SAID)
def test_masq_what_a_trusted_forwarder_says_chooses_the_view(sotto, what):
    options, view = SAID[what]
    for over in (Udp, Tcp):
        assert addresses(heard(sotto, options, over=over)) == told(view)


def test_masq_what_anybody_else_says_chooses_nothing(sotto):
    for what, (options, _) in SAID.items():
        assert addresses(heard(sotto, options, source=OTHER)) == told("other"), what


def test_a_rule_holds_if_it_does_for_all_of_the_network(sotto, upstream):
    for options, ruled in ((net("10.0.0.4/32"), True), (net("10.0.0.4/31"), False), (net("10.0.0.5/32"), False), (b"", False)):
        name = unique_name() + ".rule.test"
        assert addresses(heard(sotto, options, name)) == [RULED if ruled else messages.address_of(name)]
        assert len(upstream.asked(name)) == (0 if ruled else 1)


CONTRADICTIONS = {
    "two MAC addresses": option(MAC, DESK) + option(MAC, STRANGER),
    "two MAC addresses in two forms": option(MAC, DESK) + option(DEVICE, base64.b64encode(STRANGER)),
    "two CPEs": option(CPE, b"den") + option(CPE, b"x"),
    "two subnets": net("10.0.0.5/32") + net("10.0.0.6/32"),
}
SENSELESS = {**MALFORMED_SUBNETS, **CONTRADICTIONS, "a bit beyond the prefix": subnet(1, 23, 0, b"\x0a\0\1")}
SENSIBLE = {"family 0", "two of them"}  # it keeps its address back; they are the same


@pytest.mark.parametrize("what", sorted(set(SENSELESS) - SENSIBLE))
def test_what_makes_no_sense_is_a_format_error_of_a_trusted_forwarder_alone(sotto, what):
    assert rcode_name(heard(sotto, SENSELESS[what])) == "FORMERR"
    assert addresses(heard(sotto, SENSELESS[what], source=OTHER)) == told("other")


def test_nothing_that_is_said_goes_further_or_makes_another_question(sotto, upstream, name):
    for options, _ in SAID.values():
        answer = heard(sotto, options, name)
        assert addresses(answer) == [messages.address_of(name)] and not answer.options
    (asked,) = upstream.asked(name)
    assert not {ECS, MAC, DEVICE, CPE} & set(asked.asked.edns.codes())


def test_who_waits_is_still_whom_the_forwarder_said(start_sotto, start_plain, tmp_path):  # noqa: F811
    """The answer is judged when it comes: what it is an alias of is on the list of one view."""
    (tmp_path / "list").write_text("blocked.test\n")
    gate = behaviours.Gate(says(alias("blocked.test"), a(owner=messages.wire_name("blocked.test"))))
    plain = start_plain(otherwise=gate)
    sotto = start_sotto(
        plain.address(), **{"trusted-forwarders": [FORWARDER]}, workers=1,
        lists={"kids": {"file": str(tmp_path / "list"), "format": "domains"}},
        views={"kids": {"macs": ["00:11:22:aa:bb:cc"], "lists": ["kids"]}},
    )  # fmt: skip
    said = {option(MAC, DESK): "NXDOMAIN", option(MAC, STRANGER): "NOERROR", b"": "NOERROR"}
    waiting = []
    for options, rcode in said.items():
        client = Udp(sotto.address, source=FORWARDER)
        client.send(query(unique_name(), edns=opt(options=options)))
        waiting.append((client, rcode))
    assert eventually(lambda: len(gate.names()) == len(waiting))
    gate.open(plain)
    for client, rcode in waiting:
        assert rcode_name(parse(client.receive())) == rcode
        client.close()


def test_who_may_ask_is_a_matter_of_who_sends(start_sotto, start_upstream, name):
    sotto = start_sotto(start_upstream(), **settings(allow=[FORWARDER, "10.0.0.0/8"]))
    assert addresses(heard(sotto, net("198.51.100.1/32"), name)) == [messages.address_of(name)]
    assert rcode_name(heard(sotto, net("10.0.0.5/32"), name, source=OTHER)) == "REFUSED"


def test_a_reload_believes_others(run_sotto, start_upstream):
    sotto = run_sotto(start_upstream(), **settings())
    options, view = SAID["a MAC address"]
    for believed, sources in ((FORWARDER, {FORWARDER: view, OTHER: "other"}), (OTHER, {FORWARDER: "itself", OTHER: view})):
        reload(sotto, **{"trusted-forwarders": [believed]})
        for source, chosen in sources.items():
            assert addresses(heard(sotto, options, source=source)) == told(chosen)


# ---- dnsmasq


DNSMASQ = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=", "--pid-file", "--bind-interfaces",
           "--cache-size=0"]  # fmt: skip

MASQ = {
    ("--add-mac",): "desk",
    ("--add-mac=text",): "desk",
    ("--add-mac=base64",): "desk",
    ("--add-cpe-id=den",): "den",
    ("--add-subnet=32,128",): "host",
    ("--add-subnet=24,96",): "net",
    ("--add-subnet",): "itself",
    ("--add-subnet=32,128", "--add-cpe-id=den", "--add-mac"): "desk",
    (): "itself",
}


@pytest.fixture
def masq(start_sotto, start_upstream, serve, link):  # noqa: F811
    """A function that has a host ask a dnsmasq with these options in front of sotto, over a wire, so that the host has a MAC address."""
    who = {
        "desk": {"macs": ["02:11:22:aa:bb:cc"]}, "den": {"cpe-ids": ["den"]}, "net": {"clients": ["10.53.0.0/24"]},
        "host": {"clients": [link.FAR]}, "itself": {"clients": ["127.0.0.1"]}, "other": {"macs": ["02:11:22:aa:bb:cd"]},
    }  # fmt: skip
    views = {name: {**chosen, "rules": [{"suffix": "view.test", "a": VIEWS[name][1]}]} for name, chosen in who.items()}
    link.far.ip("link", "set", "far", "address", "02:11:22:aa:bb:cc")
    start_sotto(start_upstream(), prefix=link.near.prefix, listen=["127.0.0.1:5300"], views=views, **{"trusted-forwarders": ["127.0.0.1"]})
    ports = itertools.count(5301)

    def begin(*options):
        port = next(ports)
        with link.near.entered():
            where = [f"--listen-address={link.NEAR}", f"--port={port}", "--server=127.0.0.1#5300"]
            serve([program("dnsmasq"), *DNSMASQ, *where, *options], port, host=link.NEAR)

        def hears(said=b""):
            with link.far.entered():
                return addresses(ask((link.NEAR, port), "www.view.test", edns=opt(options=said)))

        return hears

    return begin


def test_masq_dnsmasq_says_who_asks_it(masq):
    for options, view in MASQ.items():
        assert masq(*options)() == told(view), options


LIES = {
    "MAC": option(MAC, bytes.fromhex("021122aabbcd")),
    "MAC as text": option(DEVICE, b"02:11:22:aa:bb:cd"),
    "subnet": net("10.53.0.9/32"),
    "CPE": option(CPE, b"den"),
}

# What becomes of a host that says itself what a forwarder would.
LIED_TO = [
    ((), {"MAC": "other", "MAC as text": "other", "subnet": "net", "CPE": "den"}),
    (("--add-mac",), {"MAC": "other"}),
    (("--add-subnet=32,128",), {"subnet": "net"}),
    (("--add-mac", "--strip-mac"), {"MAC": "desk", "MAC as text": "desk"}),
    (("--add-mac=text", "--strip-mac"), {"MAC": "desk", "MAC as text": "desk"}),
    (("--add-subnet=32,128", "--strip-subnet"), {"subnet": "host"}),
    (("--add-cpe-id=x",), {"CPE": "itself"}),
    (("--strip-mac", "--strip-subnet"), {"MAC": "itself", "MAC as text": "itself", "subnet": "itself"}),
]


def test_masq_dnsmasq_hands_on_what_it_does_not_strip(masq):
    """Adding alone lets a host's own word stand, which rules.md warns of; with both, nobody is taken for somebody else."""
    for options, outcomes in LIED_TO:
        hears = masq(*options)
        for lie, view in outcomes.items():
            assert hears(LIES[lie]) == told(view), (options, lie)
