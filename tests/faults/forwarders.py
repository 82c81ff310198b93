"""The programs that are compared, each set up as its own documentation recommends for this job: verified DNS over TLS to
all upstreams, its own timeouts, nothing kept that would help or harm names which are asked once."""

import pathlib
import subprocess

AUTH_NAME = "upstream.test"
TOP = pathlib.Path(__file__).resolve().parents[2]


class Forwarder:
    """A program of Debian; `setting_up` writes its configuration and returns the command."""

    def __init__(self, name, program, setting_up):
        self.name, self.program, self._setting_up = name, program, setting_up

    def command(self, folder, port, upstreams, ca):
        return [str(self.program), *self._setting_up(folder, port, upstreams, ca)]

    def version(self):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.name], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else "not from a package"


class Sotto(Forwarder):
    def version(self):
        """What it says of itself, and the commit that its sources are of."""
        told = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout.split()
        commit = _git("log", "-1", "--format=%h", "--", "src") or "no commit"
        changed = " and changes" if _git("status", "--porcelain", "--", "src") else ""
        return f"{told[1]}, sources of {commit}{changed}"


def _git(*arguments):
    return subprocess.run(["git", "-C", TOP, *arguments], capture_output=True, text=True).stdout.strip()


def _write(folder, name, text):
    file = folder / name
    file.write_text(text.lstrip("\n"))
    return str(file)


def sotto(folder, port, upstreams, ca):
    servers = "".join(f'  - "tls://{address}:853#{AUTH_NAME}"\n' for address in upstreams)
    return ["run", "--config", _write(folder, "sotto.yaml", f"""
listen: ["127.0.0.1:{port}"]
upstreams:
{servers}tls: {{ca: "{ca}"}}
""")]


def unbound(folder, port, upstreams, ca):
    """unbound.conf(5), forward-tls-upstream. No validator: the names belong to no signed zone."""
    servers = "".join(f"  forward-addr: {address}@853#{AUTH_NAME}\n" for address in upstreams)
    return ["-d", "-c", _write(folder, "unbound.conf", f"""
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{folder}"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  tls-cert-bundle: "{ca}"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-tls-upstream: yes
{servers}""")]


def dnsdist(folder, port, upstreams, ca):
    """dnsdist.org, `newServer`: out-of-order answers allowed, for the upstream gives them. SERVFAIL instead of silence
    when all servers are down is an option; it is taken, for silence is the worse for a client."""
    servers = "".join(
        f"newServer({{address='{address}:853', tls='openssl', subjectName='{AUTH_NAME}', caStore='{ca}',"
        " validateCertificates=true, maxInFlight=1000})\n"
        for address in upstreams
    )
    return ["--supervised", "--disable-syslog", "-C", _write(folder, "dnsdist.lua", f"""
setLocal('127.0.0.1:{port}')
setACL({{'127.0.0.0/8'}})
setSecurityPollSuffix('')
setServFailWhenNoServer(true)
{servers}""")]


def stubby(folder, port, upstreams, ca):
    """As the package's /etc/stubby/stubby.yml: servers in turn, connections kept for 10 s."""
    servers = "".join(
        f'  - address_data: {address}\n    tls_port: 853\n    tls_auth_name: "{AUTH_NAME}"\n' for address in upstreams
    )
    return ["-C", _write(folder, "stubby.yml", f"""
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list:
  - GETDNS_TRANSPORT_TLS
tls_authentication: GETDNS_AUTHENTICATION_REQUIRED
tls_query_padding_blocksize: 128
edns_client_subnet_private: 1
round_robin_upstreams: 1
idle_timeout: 10000
tls_ca_file: "{ca}"
appdata_dir: "{folder}"
listen_addresses:
  - 127.0.0.1@{port}
upstream_recursive_servers:
{servers}""")]


def smartdns(folder, port, upstreams, ca):
    """The answers' addresses are not pinged, for they are made up: the first answer is the best. The cache stays on:
    without it this version falls back to another mode."""
    servers = "".join(
        f"server-tls {address}:853 -host-name {AUTH_NAME} -tls-host-verify {AUTH_NAME}\n" for address in upstreams
    )
    return ["-f", "-p", "-", "-c", _write(folder, "smartdns.conf", f"""
bind 127.0.0.1:{port}
ca-file {ca}
cache-persist no
speed-check-mode none
response-mode fastest-response
dualstack-ip-selection no
log-level fatal
user root
{servers}""")]


def all_of_them(binary):
    """By name; sotto first, then the peers."""
    peers = (
        Forwarder("unbound", "/usr/sbin/unbound", unbound),
        Forwarder("dnsdist", "/usr/bin/dnsdist", dnsdist),
        Forwarder("stubby", "/usr/bin/stubby", stubby),
        Forwarder("smartdns", "/usr/sbin/smartdns", smartdns),
    )
    return {f.name: f for f in (Sotto("sotto", pathlib.Path(binary).resolve(), sotto), *peers)}
