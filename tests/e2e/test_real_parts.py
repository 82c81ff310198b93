"""sotto between programs that people run: unbound and Knot Resolver behind it; dig, kdig, dnspython, dnsmasq, dnsdist, HAProxy and the
resolver of glibc before it; IPv4 and IPv6."""

import shutil
import socket
import subprocess

import dns.message
import dns.query
import pytest

from bench import clients, eventually, messages
from bench.certificates import NAME
from bench.clients import ask, addresses
from bench.daemon import free_port
from bench.unbound import beginning as unbound_beginning

ZONE = {"www.real.example": ("A", "192.0.2.80"), "six.real.example": ("AAAA", "2001:db8::80")}


class Server:
    """A program that runs until the test is over."""

    def __init__(self, directory, command, port, host="127.0.0.1"):
        self.log = directory / f"{command[0].rpartition('/')[2]}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not eventually(lambda: self._serves(host, port), 20):
            self.stop()
            raise AssertionError(f"{command} did not start:\n{self.log.read_text(errors='replace')}")

    def _serves(self, host, port):
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def serve(tmp_path):
    started = []

    def begin(*arguments, **how):
        started.append(Server(tmp_path, *arguments, **how))

    yield begin
    for server in started:
        server.stop()


def program(name):
    """The program's path; AppArmor may keep one in /usr/sbin from reading what a test wrote, so it is copied."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def unbound(serve, directory, certificate, host="127.0.0.1"):
    port = free_port(host)
    records = "\n".join(f'    local-data: "{name}. 300 IN {kind} {data}"' for name, (kind, data) in ZONE.items())
    (directory / "unbound.conf").write_text(
        f"""{unbound_beginning(directory)}
    interface: {host}@{port}
    access-control: ::0/0 allow
    tls-port: {port}
    tls-service-key: "{certificate.key}"
    tls-service-pem: "{certificate.chain}"
    local-zone: real.example. static
{records}
remote-control:
    control-enable: no
"""
    )
    copy = directory / "unbound"
    shutil.copy(program("unbound"), copy)
    serve([str(copy), "-d", "-c", str(directory / "unbound.conf")], port, host=host)
    return f"tls://[{host}]:{port}#{NAME}" if ":" in host else f"tls://{host}:{port}#{NAME}"


def knot_resolver(serve, directory, certificate):
    kresd = program("kresd")
    version = subprocess.run([kresd, "--version"], capture_output=True, text=True).stdout
    if "version 5." not in version:
        pytest.skip(f"the configuration is for Knot Resolver 5, not {version.strip()}")
    port = free_port()
    records = "\n".join(f"hints['{name}.'] = '{data}'" for name, (_, data) in ZONE.items())
    (directory / "kresd.conf").write_text(
        f"""net.listen('127.0.0.1', {port}, {{ kind = 'tls' }})
net.tls('{certificate.chain}', '{certificate.key}')
modules = {{ 'hints > iterate' }}
trust_anchors.remove('.')
{records}
"""
    )
    serve([kresd, "-n", "-c", str(directory / "kresd.conf"), str(directory)], port)
    return f"tls://127.0.0.1:{port}#{NAME}"


RESOLVERS = {"unbound": unbound, "knot-resolver": knot_resolver}


@pytest.fixture(params=RESOLVERS)
def before_a_resolver(request, serve, tmp_path, certificate, start_sotto):
    return start_sotto(RESOLVERS[request.param](serve, tmp_path, certificate))


@pytest.fixture
def before_unbound(serve, tmp_path, certificate, start_sotto):
    return start_sotto(unbound(serve, tmp_path, certificate))


@pytest.mark.parametrize("name", ZONE)
def test_a_real_resolver_is_asked_and_answers(before_a_resolver, name, over):
    kind, data = ZONE[name]
    assert addresses(ask(before_a_resolver.address, name, kind, over=over)) == [data]


def test_a_name_that_does_not_exist_stays_so(before_unbound, over):
    answer = ask(before_unbound.address, "no.real.example", over=over)
    assert clients.rcode_name(answer) == "NXDOMAIN"


@pytest.mark.parametrize("option", [[], ["+tcp"], ["+noedns"], ["+dnssec"]], ids=["udp", "tcp", "no edns", "dnssec"])
@pytest.mark.parametrize("tool", ["dig", "kdig"])
def test_dig_and_kdig_get_the_answer(before_unbound, tool, option):
    host, port = before_unbound.address
    printed = subprocess.run(
        [program(tool), f"@{host}", "-p", str(port), "www.real.example", "A", "+short", *option],
        capture_output=True, text=True, timeout=30,
    ).stdout
    assert printed.split() == ["192.0.2.80"]


@pytest.mark.parametrize("way", [dns.query.udp, dns.query.tcp], ids=["udp", "tcp"])
def test_dnspython_gets_the_answer(before_unbound, way):
    host, port = before_unbound.address
    answer = way(dns.message.make_query("www.real.example", "A", use_edns=True), host, port=port, timeout=10)
    assert addresses(answer) == ["192.0.2.80"]


def test_dnsmasq_of_a_host_points_at_it(before_unbound, serve, over):
    port = free_port()
    serve(
        [program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=",
         "--pid-file", "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={port}",
         f"--server=127.0.0.1#{before_unbound.port}"],
        port,
    )
    assert addresses(ask(("127.0.0.1", port), "www.real.example", over=over)) == ["192.0.2.80"]


def test_the_resolver_of_glibc_is_the_last_consumer(mounts, start_upstream, start_sotto, link, tmp_path, name):
    """In a namespace of its own, with a resolv.conf of its own, as in a container."""
    with link.near.entered():
        upstream = start_upstream()
    start_sotto(upstream, prefix=link.near.prefix, listen=["127.0.0.1:53"])
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n")
    command = 'mount --bind "$1" /etc/resolv.conf && exec getent ahostsv4 "$2"'
    printed = subprocess.run(
        [*link.near.prefix, "unshare", "-m", "sh", "-c", command, "sh", str(resolv), name],
        capture_output=True, text=True, timeout=30,
    )
    assert upstream.asked(name), printed.stderr
    assert printed.stdout.startswith("10."), printed.stderr


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_listens_and_asks_over_ipv6(serve, tmp_path, certificate, start_sotto, over):
    port = free_port("::1")
    start_sotto(unbound(serve, tmp_path, certificate, "::1"), listen=[f"[::1]:{port}"])
    assert addresses(ask(("::1", port), "www.real.example", over=over)) == ["192.0.2.80"]


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2"])
def test_2181_05_a_wildcard_answers_from_the_address_that_was_asked(start_upstream, start_sotto, asked, over, name):
    """The clients are connected, so that an answer from elsewhere would not reach them."""
    port = free_port()
    start_sotto(start_upstream(), listen=[f"0.0.0.0:{port}"])
    assert len(addresses(ask((asked, port), name, over=over))) > 0


def test_2181_05_an_ipv6_wildcard_answers_from_the_address_that_was_asked(start_upstream, start_sotto, link, name):
    with link.near.entered():
        upstream = start_upstream()
    start_sotto(upstream, prefix=link.near.prefix, listen=["[::]:5300"])
    for address in (link.NEAR6, "::1"):
        with (link.far if address == link.NEAR6 else link.near).entered():
            assert len(addresses(ask((address, 5300), name))) > 0


# ---- load balancers that speak for their clients


BALANCER, ALLOWED, NOT_ALLOWED = "127.0.0.5", "127.0.0.21", "127.0.0.22"


@pytest.fixture
def behind_a_balancer(serve, tmp_path, certificate, start_sotto):
    """Takes BALANCER's word for whom it speaks for; of those only one may ask, beside the balancer's own checks."""
    return start_sotto(unbound(serve, tmp_path, certificate), proxies=[BALANCER], allow=[ALLOWED, BALANCER])


def dnsdist(serve, directory, sotto):
    port = free_port()
    (directory / "dnsdist.conf").write_text(
        f"""setLocal("127.0.0.1:{port}")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer{{address="{sotto.host}:{sotto.port}", source="{BALANCER}", useProxyProtocol=true, checkName="www.real.example."}}
"""
    )
    serve([program("dnsdist"), "--supervised", "--disable-syslog", "-C", str(directory / "dnsdist.conf")], port)
    return ("127.0.0.1", port)


def haproxy(serve, directory, sotto, header):
    port = free_port()
    (directory / "haproxy.cfg").write_text(
        f"""defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen dns
    bind 127.0.0.1:{port}
    server sotto {sotto.host}:{sotto.port} source {BALANCER} {header}
"""
    )
    serve([program("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")], port)
    return ("127.0.0.1", port)


def asked_from(source, balancer, over):
    with clients.OVER[over](balancer, source=source) as client:
        return clients.parse(client.ask(messages.query("www.real.example")))


def speaks_for_its_clients(balancer, over):
    """Only the one that may ask is answered, and each question is of who asked it."""
    for source, wanted in ((ALLOWED, "NOERROR"), (NOT_ALLOWED, "REFUSED"), (ALLOWED, "NOERROR")):
        answer = asked_from(source, balancer, over)
        assert clients.rcode_name(answer) == wanted and bool(addresses(answer)) == (wanted == "NOERROR")
    return True


def test_dnsdist_speaks_for_its_clients(serve, tmp_path, behind_a_balancer, over):
    balancer = dnsdist(serve, tmp_path, behind_a_balancer)
    assert eventually(lambda: "as 'up'" in (tmp_path / "dnsdist.log").read_text())  # by its own check
    assert speaks_for_its_clients(balancer, over)
    assert not behind_a_balancer.log(level="warn")


@pytest.mark.parametrize("header", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_haproxy_speaks_for_its_clients(header, serve, tmp_path, behind_a_balancer):
    assert speaks_for_its_clients(haproxy(serve, tmp_path, behind_a_balancer, header), "tcp")
    assert not behind_a_balancer.log(level="warn")
