"""pydig's words, row by row: `sotto query` takes them as they are. A row has the tests that bear its number, and where it is about more
than words, those of the file that stands beside it.

    row  pydig's words                                        more of it in
     01  @server -pNN -bIP -4 -6                              test_query_udp.py
     02  name, type, class; none: . NS; TYPEn CLASSn IXFR=n   test_query_sent.py
     03  -x ADDRESS                                           test_query_sent.py
     04  an e-mail address with OPENPGPKEY, SMIMEA
     05  +tcp +ignore                                         test_query_udp.py
     06  +aaonly +adflag +cdflag +norecurse                   test_query_sent.py
     07  +edns +ednsflags +ednsopt +bufsize +dnssec ...       test_query_sent.py
     08  +nsid +expire +cookie +subnet +chainquery +padding   test_query_sent.py
     09  +0x20 -i +emptyquestion +generic +hex -d             test_query_peers.py
     10  -k -y                                                test_query_tsig.py
     11  +walk                                                test_query_tsig.py
     12  AXFR, IXFR=n +tcp                                    test_query_tsig.py
     13  +tls=auth|noauth +tls_port +tls_fallback ...         test_query_tls.py
     14  +https: it is no option, as docs/query.md says
     15  UDP: tries, strangers                                test_query_udp.py
     16  the lines of the output
     17  the exit status                                      test_query_bad.py
     18  85 types                                             test_query_sent.py, test_query_peers.py
     19  its container: the image of sotto has `query` in it, since it is one program
"""

import hashlib
import re
import socket

import pytest

from bench import asker, messages, netns, zones
from bench.messages import address_of, record, reply
from bench.plain import Plain
from bench.zones import CHANGED, NSID, SECRETS, SIGNED, WALKED


@pytest.fixture(scope="module")
def server():
    started = Plain()
    yield started
    started.stop()


def where(server):
    return [f"@{server.host}", f"-p{server.port}"]


def at(knot):
    return [f"@{knot.address[0]}", f"-p{knot.port}"]


def asked_for(server, *words, **how):
    """The one query that came of these words."""
    before = len(server.queries)
    said = asker.query(*where(server), "+tries=1", *words, **how)
    assert len(server.queries) == before + 1, said
    return server.queries[-1].asked


# ---- 01: whom


def test_pydig_01_port_and_address_as_one_word(server, name):
    asker.query(f"@{server.host}", f"-p{server.port}", "-b127.0.0.8", name, check=0)
    assert server.asked(name)[0].connection.address[0] == "127.0.0.8"


def test_pydig_01_ipv6(name):
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    server = Plain(host="::1")
    try:
        for server_word in ("@::1", "@[::1]", f"@[::1]:{server.port}"):
            port = [] if server_word.endswith(str(server.port)) else ["-p", server.port]
            asker.query(server_word, *port, name, check=0)
        assert len(server.asked(name)) == 3
        assert asker.query("@::1", "-4", "-p", server.port, name).status >= asker.USAGE
        assert len(server.asked(name)) == 3
    finally:
        server.stop()


def test_pydig_01_a_server_by_name(server, name):
    asker.query("@localhost", "-4", "-p", server.port, name, check=0)
    assert server.asked(name)


@pytest.mark.usefixtures("mounts")
def test_pydig_01_a_server_by_name_is_asked_over_ipv6_first(tmp_path, name):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 both.test\n::1 both.test\n")
    server = Plain(host="::1")
    try:
        words = ["@both.test", "-p", server.port, name]
        asker.query(*words, check=0, prefix=netns.in_place_of("/etc/hosts", hosts))
        assert asker.query(*words, "-4", prefix=netns.in_place_of("/etc/hosts", hosts)).status >= asker.USAGE
        assert len(server.asked(name)) == 1
    finally:
        server.stop()


@pytest.mark.usefixtures("mounts")
def test_pydig_01_the_first_nameserver_that_is_of_the_family(server, tmp_path, name):
    resolv = tmp_path / "resolv.conf"
    resolv.write_text(f"nameserver ::1\nnameserver {server.host}\nnameserver 127.0.0.9\n")
    words = ["-p", server.port, name]
    asker.query(*words, "-4", check=0, prefix=netns.in_place_of("/etc/resolv.conf", resolv))
    assert len(server.asked(name)) == 1
    said = asker.query(*words, "+tcp", check=asker.UNREACHED, prefix=netns.in_place_of("/etc/resolv.conf", resolv))
    assert f"[::1]:{server.port}" in said.err and len(server.asked(name)) == 1


@pytest.mark.usefixtures("namespaces")
def test_pydig_01_a_server_that_has_no_address():
    """Without a network, so that nobody's resolver is asked."""
    said = asker.query("@nobody.invalid", "x.test", check=asker.UNKNOWN_HOST, prefix=["unshare", "--net"])
    assert "nobody.invalid" in said.err


# ---- 02: what


@pytest.mark.parametrize("words, asked", [
    ([], (b"\0", 2, 1)), (["one.test"], ("one.test", 1, 1)), (["one.test", "MX"], ("one.test", 15, 1)),
    (["one.test", "mx", "ch"], ("one.test", 15, 3)), (["one.test", "TYPE123", "CLASS42"], ("one.test", 123, 42)),
    (["MX", "one.test"], ("one.test", 15, 1)), (["-q", "mx", "-t", "TXT", "-c", "CH"], ("mx", 16, 3)),
])  # fmt: skip
def test_pydig_02_name_type_and_class(server, words, asked):
    for arrangement in ([*words, "+norecurse"], ["+norecurse", *words]):
        seen = asked_for(server, *arrangement)
        name, qtype, qclass = asked
        assert (seen.owner, seen.type, seen.qclass) == (messages.wire_name(name), qtype, qclass)


def test_pydig_02_ixfr_has_its_serial_in_a_soa():
    server = Plain(otherwise=lambda query: query.send(reply(query.asked, [record("SOA", messages.SOA)], edns=b"")))
    try:
        asker.query(*where(server), "zone.test", "IXFR=4711", "+tcp", "+noedns")
        wire = server.queries[0].wire
        assert server.queries[0].asked.counts == (1, 0, 1, 0) and (4711).to_bytes(4, "big") in wire
    finally:
        server.stop()


@pytest.mark.parametrize("words", [
    ["a..test"], [("a" * 64) + ".test"], ["one.test", "NOSUCH"], ["+nosuchoption"], ["-z"], ["-p", "70000"], ["+edns=256"], ["+bufsize=x"],
    ["+subnet=192.0.2.0/33"], ["+ednsopt=3:0"], ["+cookie=xyz"], ["-x", "1.2.3"], ["+tls=maybe"], ["+opcode=16"],
])  # fmt: skip
def test_pydig_02_a_mistake_is_told_before_anything_is_sent(server, words):
    before = len(server.queries)
    said = asker.query(*where(server), "one.test", *words, check=asker.USAGE)
    assert said.err.startswith("sotto query: ") and not said.out
    assert len(server.queries) == before


# ---- 03, 04: names made of other things


@pytest.mark.parametrize("address, name", [
    ("192.0.2.7", "7.2.0.192.in-addr.arpa"), ("2001:db8::7", "7." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"),
])  # fmt: skip
def test_pydig_03_the_name_of_an_address(server, address, name):
    seen = asked_for(server, "-x", address)
    assert (seen.name, seen.type) == (name, 12)


@pytest.mark.parametrize("qtype, label", [("OPENPGPKEY", "_openpgpkey"), ("SMIMEA", "_smimecert")])
def test_pydig_04_the_key_of_an_e_mail_address(server, qtype, label):
    seen = asked_for(server, "hugh@example.test", qtype)
    assert seen.name == f"{hashlib.sha256(b'hugh').hexdigest()[:56]}.{label}.example.test"


def test_pydig_04_for_other_types_it_is_a_name(server):
    assert asked_for(server, "hugh@example.test", "TXT").name == "hugh@example.test"


# ---- 05 to 08: how


def test_pydig_05_over_tcp(server, name):
    assert "TCP response" in asker.query(*where(server), name, "+tcp", check=0).out
    assert server.asked(name)[0].connection.over == "tcp"


@pytest.mark.parametrize("word, flags", [
    ("+aaonly", messages.RD | messages.AA), ("+adflag", messages.RD | messages.AD), ("+cdflag", messages.RD | messages.CD),
    ("+norecurse", 0), ("+noedns", messages.RD),
])  # fmt: skip
def test_pydig_06_the_header(server, word, flags):
    assert asked_for(server, "one.test", word).flags == flags


def test_pydig_07_edns(server):
    edns = asked_for(server, "one.test", "+edns=1", "+bufsize=4000", "+dnssec", "+compactok", "+delegok", "+ednsopt=65001:0a0b").edns
    assert (edns.version, edns.size, edns.flags, edns.options) == (1, 4000, 0xE000, [(65001, b"\x0a\x0b")])
    assert asked_for(server, "one.test", "+dnssec", "+ednsflags=16").edns.flags == 16
    assert asked_for(server, "one.test").edns.size == 1232
    assert asked_for(server, "one.test", "+noedns").edns is None


def test_pydig_08_options(server):
    edns = asked_for(
        server, "one.test", "+nsid", "+expire", "+cookie=0011223344556677", "+subnet=192.0.2.0/24", "+chainquery=test", "+padding=128"
    ).edns
    assert edns.codes() == [3, 9, 10, 8, 13, 12]


def test_pydig_08_the_size_of_the_padding_is_printed(server):
    said = asker.query(*where(server), "one.test", "+padding", check=0)
    size = int(re.search(r"Query Padding size: (\d+), Block size: 128", said.out)[1])
    assert size == 4 + len(dict(server.queries[-1].asked.edns.options)[12])
    assert len(server.queries[-1].wire) % 128 == 0


def test_pydig_08_the_server_s_name_is_read(knot):
    said = asker.query(*at(knot), SIGNED, "SOA", "+nsid", check=0)
    assert f"{NSID.encode().hex()} ({NSID})" in said.out, said


def test_pydig_08_options_of_a_reply_are_in_words(server, name):
    options = messages.option(8, bytes.fromhex("00011818c00002")) + messages.option(10, bytes(range(24)))
    options += messages.option(11, b"\0\x64") + messages.option(12, bytes(7)) + messages.option(15, b"\0\x12not you")
    options += messages.option(9, b"\0\0\x0e\x10") + messages.option(65001, b"\xab")
    server.when(name, lambda query: query.send(reply(query.asked, edns=messages.opt(options=options))))
    out = asker.query(*where(server), name, check=0).out
    for words in ("192.0.2.0/24/24", "0001020304050607 08090a0b", "10.0 s", "7 octets", "18 (Prohibited): not you", "3600 s", "65001 (Unknown)"):
        assert words in out, words + "\n" + out


# ---- 09


def test_pydig_09_letters_in_random_case(server):
    names = {asked_for(server, "abcdefghijklmnopqrstuvwxyz.test", "+0x20", check=0).owner for _ in range(4)}
    assert len(names) == 4 and {name.lower() for name in names} == {messages.wire_name("abcdefghijklmnopqrstuvwxyz.test")}


def test_pydig_09_a_reply_in_other_letters_is_remarked(server, name):
    server.when(name, lambda query: query.send(messages.derived(query.asked, question=query.asked.question.swapcase())))
    said = asker.query(*where(server), name, "+0x20")
    assert "spelled otherwise" in said.all, said


@pytest.mark.parametrize("word", ["-i4711", "+qid=4711"])
def test_pydig_09_the_id(server, word):
    assert asked_for(server, "one.test", word).id == 4711


def test_pydig_09_no_question():
    heard = []

    class Keeper(Plain):
        def _arrived(self, connection, wire):
            heard.append(wire)
            connection.write(messages.frame(wire[:2] + b"\x81\x80" + bytes(8)))

    server = Keeper()
    try:
        said = asker.query(*where(server), "one.test", "+emptyquestion", "+noedns", check=0)
    finally:
        server.stop()
    assert len(heard[0]) == 12 and heard[0][4:] == bytes(8), said


def test_pydig_09_generic_and_hex(knot):
    generic = asker.query(*at(knot), f"a.{SIGNED}", "A", "+generic", check=0)
    assert generic.records() == [f"a.{SIGNED}. 300 CLASS1 TYPE1 \\# 4 c0000207"]
    assert "c0000207" in asker.query(*at(knot), f"a.{SIGNED}", "A", "+hex", check=0).records()[0]


def test_pydig_09_step_by_step(server, name):
    said = asker.query(*where(server), name, "-d", check=0)
    assert len(said.all.splitlines()) > len(asker.query(*where(server), name, check=0).all.splitlines()), said


# ---- 10 to 13


def test_pydig_10_a_signed_question(knot):
    key = f"hmac-sha256:hmac-sha256-key:{SECRETS['hmac-sha256']}"
    assert ";; TSIG: ok" in asker.query(*at(knot), "-y", key, SIGNED, "SOA", check=0).out


def test_pydig_11_the_walk(knot):
    said = asker.query(*at(knot), "+walk=0", WALKED, check=0)
    assert f"\nns1.{WALKED}." in said.out and f"\nns2.{WALKED}." in said.out


def test_pydig_12_transfers(knot):
    said = asker.query(*at(knot), SIGNED, "AXFR", check=0)
    assert "Total RRs transferred" in said.out and said.out.count("\tSOA\t") == 2
    assert "Changes from serial 1 to 3" in asker.query(*at(knot), CHANGED, "IXFR=1", "+tcp", check=0).out


def test_pydig_13_tls(nsd, authority):
    words = ["@127.0.0.1", f"+tls_port={nsd.tls_port}", f"+tls_ca={authority.file}", SIGNED, "SOA"]
    assert "TLS response" in asker.query("+tls=auth", *words, check=0).out
    asker.query("+tls=auth", "+tls_hostname=other.test", *words, check=asker.TLS)
    del words[2]
    assert "NOT VERIFIED" in asker.query("+tls=noauth", *words, check=0).out


@pytest.mark.parametrize("word", ["+https", "+https=https://dns.example/dns-query"])
def test_pydig_14_https_is_no_option(server, word, name):
    said = asker.query(*where(server), word, name, check=asker.USAGE)
    assert "unknown option" in said.err and not server.asked(name)


# ---- 15 to 18


def test_pydig_15_a_stranger_s_reply_is_not_the_end(server, name):
    def behave(query):
        query.send(messages.derived(query.asked, id=query.asked.id ^ 1))
        query.send(messages.derived(query.asked))

    server.when(name, behave)
    said = asker.query(*where(server), name, check=0)
    assert address_of(name) in said.out and "its ID is" in said.err


OUTPUT = """\
;; UDP response from ('127.0.0.1', PORT), SIZE bytes, in N.NNN sec
;; rcode=0(NOERROR), id=7
;; qr=1 opcode=0 aa=1 tc=0 rd=0 ra=0 z=0 ad=0 cd=0
;; question=1, answer=1, authority=0, additional=1
;; Size query=42, response=58, amp1=1.38 amp2=1.19

;; QUESTION SECTION:
a.signed.test.\tIN\tA

;; ANSWER SECTION:
a.signed.test.\t300\tIN\tA\t192.0.2.7

;; ADDITIONAL SECTION:
;; OPT: edns_version=0, udp_payload=1232, flags=, ercode=0(NOERROR)
"""


def test_pydig_16_the_lines_and_their_order(knot):
    out = asker.query(*at(knot), "-i7", "+norecurse", f"a.{SIGNED}", "A", check=0).out
    out = re.sub(r"', \d+\), \d+ bytes, in \d+\.\d{3} sec", "', PORT), SIZE bytes, in N.NNN sec", out)
    assert out == OUTPUT


def test_pydig_16_amplification_is_of_octets_then_of_packets(server, name):
    server.when(name, lambda query: query.send(messages.sized(query.asked, 4000)))
    said = asker.query(*where(server), name, "+noedns", "+tcp", check=0)
    sent = len(server.asked(name)[0].wire)
    assert f";; Size query={sent}, response=4000, amp1={4000 / sent:.2f} amp2={(4000 + 3 * 42) / (sent + 42):.2f}" in said.out, said


@pytest.mark.parametrize("rcode", [0, 1, 2, 3, 5, 16, 23])
def test_pydig_17_the_exit_status_is_the_rcode(server, name, rcode):
    server.when(name, lambda query: query.send(reply(query.asked, rcode=rcode)))
    assert asker.query(*where(server), name).status == rcode
    assert asker.query(*where(server), name, "+exit-zero").status == 0


def test_pydig_17_of_several_questions_it_is_the_last_one_s(server, name):
    server.when(name, lambda query: query.send(reply(query.asked, rcode=3)))
    assert asker.query(*where(server), "other.test", name).status == 3
    assert asker.query(*where(server), name, "other.test").status == 0


@pytest.mark.parametrize("name, qtype", zones.owners(), ids=lambda value: value.partition(".")[0])
def test_pydig_18_a_type_is_printed(knot, name, qtype):
    (line,) = asker.query(*at(knot), name, qtype, check=0).records()
    assert line.startswith(f"{name}. 300 IN ") and len(line.split()) > 4


@pytest.mark.parametrize("word", ["+notime", "+notimeout", "+noretry", "+notries", "+nobufsize", "+nocount", "+noopcode"])
def test_what_cannot_be_switched_off_says_so(server, word):
    said = asker.query(*where(server), "one.test", word, check=asker.USAGE)
    assert "it has no +no" in said.err, said


@pytest.mark.parametrize("words", [
    ["+count=2", "-y", "a:YWJj"], ["+tls", "+count=2", "+resume"], ["+tls", "+tls-fallback", "+count=2"],
    ["+tls", "+tls-fallback", "+keepopen"], ["+tls", "+tls-fallback", "AXFR"],
])
def test_what_would_not_be_looked_at_is_refused(server, words, name):
    said = asker.query(*where(server), name, *words, check=asker.USAGE)
    assert "+tls-fallback with single questions" in said.err and not server.asked(name), said
