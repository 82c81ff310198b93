"""What sotto says below resolver.arpa: clients that know its address learn under which name, and where, they can have it
over TLS, if they could verify that it is the same (RFC 9462, RFC 9461, RFC 9460)."""

import shutil
import ssl

import dns.flags
import pytest
from cryptography import x509

from bench import clients, messages, proxied
from bench.clients import Tcp, Tls, addresses, careless, ask, parse, strict, tool
from bench.daemon import free_port
from bench.messages import DO, NOERROR, opt, query, unique_name
from test_plain_upstreams import start_plain  # noqa: F401: a fixture
from test_reload import reload

NAME = "front.test"
QUESTION = "_dns.resolver.arpa"
SOA = "resolver.arpa. nobody.invalid. 1 3600 1200 604800 300"
TTL = 300


@pytest.fixture(scope="module")
def front(authority):
    return authority.issue(names=("*.wild.test", NAME), addresses=("127.0.0.1", "127.0.0.2", "::1"))


def shown(*certificates):
    pairs = [{"cert": str(one.chain), "key": str(one.key)} for one in certificates]
    return pairs[0] if len(pairs) == 1 else pairs


@pytest.fixture
def start_front(start_sotto, upstream, front):
    """A sotto that listens in clear at the first address, and for TLS at free ports of the others."""

    def begin(*tls, plain="127.0.0.1", certificate=None, **settings):
        ports = [free_port() for _ in tls]
        listen = [f"{plain}:{free_port(plain.strip('[]'))}"] + [f"tls://{at}:{port}" for at, port in zip(tls, ports)]
        sotto = start_sotto(upstream, listen=listen, certificate=certificate or shown(front), **settings)
        sotto.ports = ports
        return sotto

    return begin


def services(answer):
    """Of each record, priority, target and parameters."""
    assert all(rrset.name.to_text() == QUESTION + "." and rrset.ttl == TTL for rrset in answer.answer)
    return [item.to_text() for rrset in answer.answer for item in rrset]


def is_nothing(answer):
    """That there is no such record, to be remembered."""
    assert answer.rcode() == NOERROR and not answer.answer and not answer.additional
    (soa,) = answer.authority
    assert (soa.name.to_text().lower(), soa.ttl, soa[0].to_text().lower()) == ("resolver.arpa.", TTL, SOA)
    return True


def discovered(sotto, host="127.0.0.1", over="udp"):
    return services(ask((host, sotto.port), QUESTION, "SVCB", over=over))


def as_service(priority, port, hints, name=NAME):
    return f'{priority} {name}. alpn="dot" port="{port}" {hints}'


# ---- what is told


def test_9462_01_who_asks_in_clear_learns_where_it_is_over_tls(start_front, over, authority):
    sotto = start_front("127.0.0.1")
    answer = ask(sotto.address, QUESTION, "SVCB", over=over, edns=opt())
    assert services(answer) == [as_service(1, sotto.ports[0], 'ipv4hint="127.0.0.1"')]
    assert answer.flags & dns.flags.AA and answer.flags & dns.flags.RA and answer.edns == 0
    (additional,) = answer.additional
    assert additional.to_text() == f"{NAME}. {TTL} IN A 127.0.0.1"
    name = unique_name()
    with Tls(("127.0.0.1", sotto.ports[0]), strict(authority), NAME) as client:
        assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


def test_9462_01_who_asks_over_tls_learns_the_same(start_front):
    sotto = start_front("127.0.0.1")
    with Tls(("127.0.0.1", sotto.ports[0])) as client:
        answer = parse(client.ask(query(QUESTION, "SVCB")))
    assert services(answer) == discovered(sotto)


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2"])
def test_9462_01_a_wildcard_tells_all_addresses_of_the_certificate(start_front, over, asked):
    sotto = start_front("0.0.0.0", plain="0.0.0.0")
    hints = 'ipv4hint="127.0.0.1,127.0.0.2"'
    assert discovered(sotto, asked, over) == [as_service(1, sotto.ports[0], hints)]


def test_9462_01_over_ipv6_it_is_the_same(start_front, over):
    sotto = start_front("[::1]", plain="[::1]")
    assert discovered(sotto, "::1", over) == [as_service(1, sotto.ports[0], 'ipv6hint="::1"')]


def test_9462_01_each_port_is_told_in_the_order_of_the_endpoints(start_front):
    sotto = start_front("127.0.0.2", "127.0.0.1")
    assert discovered(sotto) == [
        as_service(1, sotto.ports[0], 'ipv4hint="127.0.0.2"'), as_service(2, sotto.ports[1], 'ipv4hint="127.0.0.1"')
    ]


def test_9461_01_the_port_of_dns_over_tls_is_not_told(start_sotto, link, front):
    listen = ["127.0.0.1:5353", "tls://127.0.0.1", "127.0.0.1:53?tls=terminate"]
    start_sotto("udp://127.0.0.9", listen=listen, certificate=shown(front), prefix=link.near.prefix, require="nothing")
    with link.near.entered():
        answer = ask(("127.0.0.1", 5353), QUESTION, "SVCB")
    assert services(answer) == [f'1 {NAME}. alpn="dot" ipv4hint="127.0.0.1"'], "and 53 is no port for TLS"


# ---- what is not


@pytest.mark.parametrize("asked", ["127.0.0.3", "127.8.7.6"])
def test_9462_07_who_could_not_verify_it_learns_nothing(start_front, over, asked):
    sotto = start_front("0.0.0.0", plain="0.0.0.0")
    assert is_nothing(ask((asked, sotto.port), QUESTION, "SVCB", over=over))


@pytest.mark.parametrize("names, for_", [((NAME,), ()), (("*.wild.test",), ("127.0.0.1",))], ids=["no address", "no name"])
def test_9462_07_a_certificate_without_the_address_or_a_name_is_not_told_of(start_front, authority, names, for_):
    sotto = start_front("127.0.0.1", certificate=shown(authority.issue(names=names, addresses=for_)))
    assert is_nothing(ask(sotto.address, QUESTION, "SVCB"))


def test_9462_07_nor_is_a_throw_away_certificate(start_front):
    sotto = start_front("127.0.0.1", certificate="self-signed")
    assert is_nothing(ask(sotto.address, QUESTION, "SVCB"))


def test_9462_07_nor_is_what_is_not_shown_under_its_name(start_front, authority, front):
    """The first certificate of a name is shown to who asks for it, whatever addresses others have."""
    sotto = start_front("127.0.0.1", certificate=shown(authority.issue(names=(NAME,)), front))
    assert is_nothing(ask(sotto.address, QUESTION, "SVCB"))


def test_9462_07_of_several_certificates_the_one_for_the_address_is_told(start_front, authority, front):
    other = authority.issue(names=("other.test",), addresses=("127.0.0.3",))
    sotto = start_front("0.0.0.0", plain="0.0.0.0", certificate=shown(front, other))
    port = sotto.ports[0]
    assert discovered(sotto, "127.0.0.3") == [as_service(1, port, 'ipv4hint="127.0.0.3"', "other.test")]


def test_9462_07_nor_is_who_asks_at_the_address_of_a_proxy(start_front, over):
    sotto = start_front("127.0.0.1", proxies=["127.0.0.5"], allow=["127.0.0.1", "192.0.2.7"])
    header = proxied.v1("192.0.2.7") if over == "tcp" else proxied.v2("192.0.2.7")
    with clients.OVER[over](sotto.address, source="127.0.0.5") as client:
        if over == "tcp":
            client.socket.sendall(header + messages.frame(query(QUESTION, "SVCB")))
        else:
            client.socket.send(header + query(QUESTION, "SVCB"))
        assert is_nothing(parse(client.receive()))
    assert discovered(sotto, over=over), "who asks at ours is told"


# ---- who comes, and names no server


@pytest.fixture
def start_two(start_front, authority, front):
    """A sotto whose first certificate is for other addresses than 127.0.0.9, and the second for that one."""
    second = authority.issue(names=("second.test",), addresses=("127.0.0.9",))
    return lambda **settings: start_front("0.0.0.0", plain="0.0.0.0", certificate=shown(front, second), **settings)


def name_of(client):
    """The first one in the certificate that it was shown."""
    seen = x509.load_der_x509_certificate(client.getpeercert(binary_form=True))
    return seen.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)[-1]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_9462_09_who_verifies_an_address_is_shown_the_certificate_for_it(start_two, authority, version):
    sotto = start_two()
    for address in ("127.0.0.9", "127.0.0.2"):
        context, name = strict(authority), unique_name()
        context.minimum_version = context.maximum_version = version
        context.check_hostname = True
        with Tls((address, sotto.ports[0]), context, address) as client:  # Python names no address as a server
            assert addresses(parse(client.ask(query(name)))) == [messages.address_of(name)]


@pytest.mark.parametrize("address, name, seen", [
    ("127.0.0.3", None, NAME), ("127.0.0.9", NAME, NAME), ("127.0.0.9", "nobody.test", NAME), ("127.0.0.9", None, "second.test"),
])  # fmt: skip
def test_9462_09_whom_none_is_for_is_shown_the_first(start_two, address, name, seen):
    with Tls((address, start_two().ports[0]), name=name) as client:
        assert name_of(client.socket) == seen


def test_9462_09_a_proxy_is_at_another_address_than_ours(start_two):
    sotto = start_two(proxies=["127.0.0.5"], allow=["127.0.0.1", "192.0.2.7"])
    with Tcp(("127.0.0.9", sotto.ports[0]), source="127.0.0.5") as client:
        client.socket.sendall(proxied.v1("192.0.2.7"))
        with careless().wrap_socket(client.socket) as secured:
            assert name_of(secured) == NAME


# ---- the zone is ours


@pytest.mark.parametrize("name", ["resolver.arpa", "x.resolver.arpa", "x._dns.resolver.arpa", "_DNS.Resolver.ARPA"])
@pytest.mark.parametrize("qtype", ["A", "HTTPS", "DNAME", "NS"])
@pytest.mark.parametrize("edns", [None, opt(flags=DO)], ids=["plain", "DO"])
def test_9462_08_nothing_else_is_there_and_nothing_is_forwarded(sotto, not_forwarded, over, name, qtype, edns):
    with not_forwarded():
        answer = ask(sotto.address, name, qtype, over=over, edns=edns)
        assert is_nothing(answer) and answer.flags & dns.flags.AA


def test_9462_08_without_tls_there_is_no_service(sotto, not_forwarded, over):
    with not_forwarded():
        assert is_nothing(ask(sotto.address, QUESTION, "SVCB", over=over))
        assert is_nothing(ask(sotto.address, QUESTION, "SVCB", over=over, flags=0))


def test_9462_08_any_is_what_there_is(start_front, sotto):
    front = start_front("127.0.0.1")
    assert services(ask(front.address, QUESTION, "ANY", over="tcp")) == discovered(front)
    answer = ask(sotto.address, "resolver.arpa", "ANY", over="tcp")
    assert [rrset.to_text() for rrset in answer.answer] == [f"resolver.arpa. {TTL} IN SOA {SOA}"]


@pytest.mark.parametrize("zone", ["resolver.arpa", "_dns.resolver.arpa", "arpa"])
def test_9462_08_no_zone_sends_it_elsewhere(start_sotto, upstream, start_plain, zone):  # noqa: F811
    plain = start_plain()
    sotto = start_sotto(upstream, zones={zone: [plain.address("udp")]}, cache={"size": "4MiB"})
    for _ in range(2):
        assert is_nothing(ask(sotto.address, QUESTION, "SVCB"))
    assert not plain.queries


# ---- what changes


def test_9462_07_a_renewed_certificate_is_told_of_at_once(start_front, authority, tmp_path):
    """Over UDP and TCP, in one test: files are looked at every two seconds."""
    files = {"cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}

    def write(certificate):
        shutil.copy(certificate.chain, files["cert"])
        shutil.copy(certificate.key, files["key"])

    write(authority.issue(names=("before.test",), addresses=("127.0.0.1",)))
    sotto = start_front("127.0.0.1", certificate={key: str(path) for key, path in files.items()}, workers=2)
    for over in ("udp", "tcp"):
        assert discovered(sotto, over=over) == [as_service(1, sotto.ports[0], 'ipv4hint="127.0.0.1"', "before.test")]
    write(authority.issue(names=("after.test",), addresses=("127.0.0.1",)))
    sotto.wait_for_log(msg="shown to clients over TLS", name="after.test")
    for over in ["udp", "tcp"] * 10:  # of whichever worker
        assert discovered(sotto, over=over) == [as_service(1, sotto.ports[0], 'ipv4hint="127.0.0.1"', "after.test")]
    write(authority.issue(names=("elsewhere.test",), addresses=("127.0.0.9",)))
    sotto.wait_for_log(msg="shown to clients over TLS", name="elsewhere.test")
    for over in ("udp", "tcp"):
        assert is_nothing(ask(sotto.address, QUESTION, "SVCB", over=over))


def test_9462_07_a_reload_tells_of_other_places(start_front, control_path):
    sotto = start_front("127.0.0.1", control=control_path, sandbox="off")
    port = free_port()
    assert discovered(sotto) == [as_service(1, sotto.ports[0], 'ipv4hint="127.0.0.1"')]
    reload(sotto, listen=[sotto.config["listen"][0], f"tls://127.0.0.2:{port}"])
    assert discovered(sotto) == [as_service(1, port, 'ipv4hint="127.0.0.2"')]


# ---- who reads it


@pytest.mark.parametrize("program", ["dig", "kdig"])
def test_dig_and_kdig_read_what_is_discovered(start_front, program):
    sotto = start_front("127.0.0.1")
    assert clients.has_tool(program)
    printed = tool(program, "@127.0.0.1", "-p", sotto.port, QUESTION, "SVCB" if program == "dig" else "TYPE64", "+short")
    port, address = sotto.ports[0], "127.0.0.1"
    assert printed.split() in (["1", f"{NAME}.", 'alpn="dot"', f"port={port}", f"ipv4hint={address}"],
                               ["1", f"{NAME}.", "alpn=dot", f"port={port}", f"ipv4hint={address}"]), printed


def test_another_sotto_upgrades_itself_to_it(start_front, start_sotto):
    """Given the address alone, it asks over TLS whoever proves to be there."""
    sotto = start_front("127.0.0.1")
    port = sotto.ports[0]
    before = start_sotto(f"ddr://127.0.0.1:{sotto.port}", groups={"other": [f"tcp://127.0.0.1:{port}"]})
    name = unique_name()
    assert addresses(ask(before.address, name)) == [messages.address_of(name)]
    (line,) = before.wait_for_log(msg="upstream connected")
    assert (line["designated"], line["addr"]) == (NAME, f"127.0.0.1:{port}")
