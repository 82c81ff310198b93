"""Local data that dnsmasq has, row by row of docs/seeds.md."""

import json
import subprocess
import time

import pytest

from bench import daemon, eventually
from bench.clients import addresses, ask, rcode_name
from bench.messages import AA
from test_reload import run, status
from test_rules_config import KEPT, write


@pytest.fixture
def begin(run_sotto, upstream):
    """A daemon with these settings, and one that asks it."""

    def start(**settings):
        sotto = run_sotto(upstream, **settings)
        sotto.told = lambda name, qtype="A": addresses(ask(sotto.address, name, qtype))
        return sotto

    return start


def fault_of(tmp_path, **settings):
    """What `sotto check` says of them."""
    file = tmp_path / "sotto.yaml"
    file.write_text(json.dumps(settings))
    done = subprocess.run([daemon.BINARY, "check", file], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (78, "")
    return done.stderr


# ---- folders of hosts files


def test_masq_a_folder_of_hosts_files(begin, tmp_path):
    """As hostsdir: its files come, change and go without a reload, also when they are written in their place."""
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    write(folder / "one", "192.0.2.1 one.lan\n192.0.2.9 both.lan\n")
    write(folder / ".hidden", "garbage\n")
    write(folder / "one~", "garbage\n")
    sotto = begin(sandbox="strict", **{"hosts-files": [str(folder)]})
    assert sotto.told("one.lan") == ["192.0.2.1"]
    write(folder / "two", "192.0.2.2 two.lan\n192.0.2.8 both.lan\n")
    assert eventually(lambda: sotto.told("two.lan") == ["192.0.2.2"])
    assert sorted(sotto.told("both.lan")) == ["192.0.2.8", "192.0.2.9"]
    (folder / "two").write_text("192.0.2.3 two.lan\n")
    assert eventually(lambda: sotto.told("two.lan") == ["192.0.2.3"])
    (folder / "one").unlink()
    assert eventually(lambda: sotto.told("one.lan") not in ([], ["192.0.2.1"]))  # the server's
    assert sotto.told("two.lan") == ["192.0.2.3"]


def test_masq_a_broken_file_of_a_folder_changes_nothing(begin, tmp_path):
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    write(folder / "a", "192.0.2.1 one.lan\n")
    sotto = begin(**{"hosts-files": [str(folder)]})
    write(folder / "a", "192.0.2.7 one.lan\n")
    write(folder / "b", "192.0.2.2 two.lan\n\nnonsense two.lan\n")
    line, = sotto.wait_for_log(msg=KEPT)
    assert (line["file"], line["line"]) == (str(folder / "b"), "3")
    assert status(sotto)["rules"]["error"]["file"] == str(folder / "b")
    assert sotto.told("one.lan") == ["192.0.2.1"]
    write(folder / "b", "192.0.2.2 two.lan\n")
    assert eventually(lambda: (sotto.told("one.lan"), sotto.told("two.lan")) == (["192.0.2.7"], ["192.0.2.2"]))


def test_masq_what_is_wrong_in_a_folder_is_told_at_the_start(tmp_path):
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    write(folder / "b", "nonsense two.lan\n")
    assert fault_of(tmp_path, **{"hosts-files": [str(folder)]}).startswith(f"{folder}/b:1: nonsense: not an address")


# ---- names that are made of addresses

FORMS = {
    "host-{a}-{b}-{c}-{d}.made.test": ["192.0.2.0/25", "198.51.100.0/24"],
    "n{d}.short.test": ["203.0.113.0/24"],
    "{address}.six.test": ["2001:db8:5::/64"],
}
SIX = "7" + ".0" * 19 + ".5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"


def pointers(answer):
    return [str(r) for s in answer.answer for r in s]


def test_masq_synth_domain_names_addresses_both_ways(begin):
    sotto = begin(synthesized=FORMS)
    for name, address, pointer in (
        ("host-192-0-2-7.made.test", "192.0.2.7", "7.2.0.192.in-addr.arpa"),
        ("host-198-51-100-255.made.test", "198.51.100.255", "255.100.51.198.in-addr.arpa"),
        ("n0.short.test", "203.0.113.0", "0.113.0.203.in-addr.arpa"),
        ("2001-db8-5--7.six.test", "2001:db8:5::7", SIX),
    ):  # fmt: skip
        own, other = ("AAAA", "A") if ":" in address else ("A", "AAAA")
        assert sotto.told(name, own) == [address]
        answer = ask(sotto.address, pointer.upper(), "PTR")
        assert pointers(answer) == [name + "."] and answer.flags & AA
        for asked, qtype in ((name, other), (name, "TXT"), (pointer, "A")):
            empty = ask(sotto.address, asked, qtype)
            assert (rcode_name(empty), empty.answer) == ("NOERROR", [])
            assert [str(s.name) for s in empty.authority] == [asked + "."]
        assert {str(r) for s in ask(sotto.address, name, "ANY", over="tcp").answer for r in s} == {address}


def test_masq_what_is_not_in_the_form_or_the_prefix_is_asked_of_servers(begin):
    sotto = begin(synthesized=FORMS, special={"names": False})
    for name in ("host-192-0-2-128.made.test", "host-192-0-2-07.made.test", "host-192-0-2-256.made.test", "made.test", "x.host-192-0-2-7.made.test"):
        assert sotto.told(name) not in ([], ["192.0.2.128"], ["192.0.2.7"])  # the server's
    for name in ("128.2.0.192.in-addr.arpa", "07.2.0.192.in-addr.arpa", "x.7.2.0.192.in-addr.arpa"):
        assert not any("made.test" in p for p in pointers(ask(sotto.address, name, "PTR")))


def test_masq_hosts_and_zones_go_before_names_that_are_made(begin, tmp_path):
    zone = tmp_path / "zone"
    zone.write_text("@ 60 SOA a b 1 2 3 4 5\nhost-192-0-2-2 A 192.0.2.99\n")
    sotto = begin(
        synthesized=FORMS,
        hosts={"own.test": "192.0.2.1", "host-192-0-2-3.made.test": "192.0.2.98"},
        **{"zone-files": {"made.test": str(zone)}},
    )
    assert pointers(ask(sotto.address, "1.2.0.192.in-addr.arpa", "PTR")) == ["own.test."]
    assert sotto.told("host-192-0-2-1.made.test") == ["192.0.2.1"]
    assert sotto.told("host-192-0-2-2.made.test") == ["192.0.2.99"]
    assert sotto.told("host-192-0-2-3.made.test") == ["192.0.2.98"]
    assert rcode_name(ask(sotto.address, "missing.made.test")) == "NXDOMAIN"


def test_masq_a_view_has_made_names_of_its_own_and_explain_shows_them(begin):
    sotto = begin(synthesized={"n{d}.made.test": "192.0.2.0/24"}, views={"guests": {"clients": ["127.0.0.2"], "synthesized": {"g{d}.made.test": "192.0.2.0/24"}}})
    said = {client: run(sotto, "explain", "7.2.0.192.in-addr.arpa", "PTR", "--client", client).stdout for client in ("127.0.0.1", "127.0.0.2")}
    assert "n7.made.test" in said["127.0.0.1"] and "g7.made.test" in said["127.0.0.2"]
    assert "local" in run(sotto, "explain", "n7.made.test", "--client", "127.0.0.1").stdout


@pytest.mark.parametrize("form, net, why", [
    ("{c}-{d}.test", "192.0.0.0/8", "several addresses"), ("{d}", "192.0.2.0/24", "a domain is missing"),
    ("{x}.test", "192.0.2.0/24", "in braces"), ("{d}.test", "2001:db8::/64", "in braces"),
])  # fmt: skip
def test_masq_a_form_that_makes_no_names_is_told_with_its_line(tmp_path, form, net, why):
    said = fault_of(tmp_path, synthesized={form: net})
    assert said.startswith(str(tmp_path / "sotto.yaml") + ":1: ") and why in said


# ---- leases of DHCP

NOW = int(time.time())
LEASES = f"""{NOW + 3600} aa:bb:cc:dd:ee:01 192.0.2.1 laptop 01:aa:bb:cc:dd:ee:01
0 aa:bb:cc:dd:ee:02 192.0.2.2 Printer *
{NOW - 1} aa:bb:cc:dd:ee:03 192.0.2.3 gone *
{NOW + 3600} aa:bb:cc:dd:ee:04 192.0.2.4 * *
{NOW + 3600} aa:bb:cc:dd:ee:05 192.0.2.5 nas *
{NOW + 3600} aa:bb:cc:dd:ee:06 192.0.2.6 localhost *
duid 00:01:00:01:2b:ab:cd:ef:aa:bb:cc:dd:ee:ff
{NOW + 3600} 12345 2001:db8::1 laptop 00:01:00:01
"""


def test_masq_dhcp_leases_are_names_in_the_domain(begin, tmp_path):
    leases = tmp_path / "dnsmasq.leases"
    write(leases, LEASES)
    sotto = begin(sandbox="strict", hosts={"nas.lan": "192.0.2.77"}, **{"leases-files": {"lan": str(leases)}})
    assert (sotto.told("laptop.lan"), sotto.told("laptop.lan", "AAAA")) == (["192.0.2.1"], ["2001:db8::1"])
    assert sotto.told("laptop") != ["192.0.2.1"]  # it could be `com`
    assert sotto.told("printer.lan") == ["192.0.2.2"]
    assert pointers(ask(sotto.address, "1.2.0.192.in-addr.arpa", "PTR")) == ["laptop.lan."]
    assert pointers(ask(sotto.address, "2.2.0.192.in-addr.arpa", "PTR")) == ["printer.lan."]
    assert sotto.told("gone.lan") != ["192.0.2.3"]
    assert sotto.told("nas.lan") == ["192.0.2.77"]
    assert sotto.told("localhost") == ["127.0.0.1"] and sotto.told("localhost.lan") == ["192.0.2.6"]
    leases.write_text(f"{NOW + 3600} aa:bb:cc:dd:ee:01 192.0.2.8 laptop *\n")  # in its place, as dnsmasq does
    assert eventually(lambda: sotto.told("laptop.lan") == ["192.0.2.8"])
    assert sotto.told("printer.lan") != ["192.0.2.2"]


def test_masq_garbage_in_leases_is_told_and_ends_nothing(begin, tmp_path):
    leases = tmp_path / "dnsmasq.leases"
    write(leases, "0 aa 192.0.2.1 one *\nx aa 192.0.2.2 two *\n0 aa 192.0.2.3 www.google.com *\n0 aa nowhere three *\n\0\xff\n0 aa 192.0.2.5 five *\n")
    sotto = begin(**{"leases-files": {"lan": str(leases), "other": str(tmp_path / "missing")}})
    assert (sotto.told("one.lan"), sotto.told("five.lan")) == (["192.0.2.1"], ["192.0.2.5"])
    assert sotto.told("www.google.com") != ["192.0.2.3"] and sotto.told("two.lan") != ["192.0.2.2"]
    told = {line["file"]: line for line in sotto.log(msg="lines of leases were ignored")}
    assert (told[str(leases)]["ignored"], told[str(leases)]["first"]) == ("4", "2")
    assert "No such file" in told[str(tmp_path / "missing")]["reason"]


def test_masq_a_client_that_takes_all_addresses_takes_nothing_from_others(begin, tmp_path):
    """One name has more addresses than an answer can hold."""
    leases = tmp_path / "dnsmasq.leases"
    greedy = "".join(f"0 aa 10.0.{n >> 8}.{n & 255} greedy *\n" for n in range(8000))
    write(leases, f"0 aa 192.0.2.1 one *\n{greedy}0 aa 192.0.2.5 five *\n")
    sotto = begin(**{"leases-files": {"lan": str(leases)}})
    assert (sotto.told("one.lan"), sotto.told("five.lan")) == (["192.0.2.1"], ["192.0.2.5"])
    line, = sotto.log(msg="lines of leases were ignored")
    assert int(line["ignored"]) > 1000
