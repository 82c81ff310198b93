"""What other programs were told becomes a configuration of ours: tests/import holds files of theirs (FORMAT.in, or
FORMAT-WHAT.in), what `sotto import` makes of each (.yaml), and what it says could not be carried (.notes). Where Debian's
packages have such a file, that is read as well."""

import pathlib
import random
import re
import subprocess

import pytest

from bench import daemon

SAMPLES = pathlib.Path(__file__).parent.parent / "import"
NAMES = sorted(f.stem for f in SAMPLES.glob("*.in"))
OF_RULES = ("rules", "hosts", "hosts-files", "local", "protect", "dns64")


def sotto(*arguments, text=None):
    return subprocess.run([daemon.BINARY, *arguments], cwd=SAMPLES, input=text, capture_output=True, timeout=60)


def imported(name, *options):
    return sotto("import", name.partition("-")[0], f"{name}.in", *options)


def test_there_is_a_sample_of_each_format():
    told = sotto("import").stderr.decode()
    formats = re.search(r"import ([\w\s|]+) FILE", told)[1].replace("|", " ").split()
    assert len(formats) == 7 and {n.partition("-")[0] for n in NAMES} == set(formats)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_becomes_just_this(name):
    done = imported(name)
    notes = SAMPLES / f"{name}.notes"
    assert done.stderr.decode() == notes.read_text()
    assert done.stdout.decode() == (SAMPLES / f"{name}.yaml").read_text()
    assert done.returncode == (0 if not done.stderr else 1 if done.stdout else 78)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_carried_is_named_by_its_line(name):
    lines = (SAMPLES / f"{name}.in").read_text().splitlines()
    for note in (SAMPLES / f"{name}.notes").read_text().splitlines():
        number, why = re.match(rf"{name}\.in:(\d+): (.*)", note).groups()
        words = [w.rstrip(":") for w in re.findall(r"[^\s,\[\]\"']{4,}", lines[int(number) - 1])]
        assert any(w[:60] in why for w in words), note


def accepted(text, tmp_path):
    """`sotto check` takes it; but for the sections of rules, as long as it knows none."""
    known = re.findall(r"^ *([\w.-]+)", sotto("options").stdout.decode(), re.MULTILINE)
    if "rules" not in known:
        text = re.sub(rf"^(?:{'|'.join(OF_RULES)}):.*\n(?: .*\n)*", "", text, flags=re.MULTILINE)
    file = tmp_path / "sotto.yaml"
    file.write_text(text)
    done = sotto("check", str(file))
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("name", [n for n in NAMES if (SAMPLES / f"{n}.yaml").read_text()])
def test_what_is_printed_is_taken(name, tmp_path):
    accepted((SAMPLES / f"{name}.yaml").read_text(), tmp_path)


DEBIAN = {
    "dnsmasq": "/usr/share/doc/dnsmasq-base/examples/dnsmasq.conf.example",
    "stubby": "/etc/stubby/stubby.yml",
    "unbound": "/usr/share/doc/unbound/examples/unbound.conf",
    "resolved": "/etc/systemd/resolved.conf",
}


@pytest.mark.parametrize("name", DEBIAN)
def test_the_file_of_debian_is_understood(name, tmp_path):
    if not pathlib.Path(DEBIAN[name]).exists():
        pytest.skip("the package is not installed")
    done = sotto("import", name, DEBIAN[name])
    assert done.returncode in (0, 1) and b": not known" not in done.stderr
    accepted(done.stdout.decode(), tmp_path)


def test_the_servers_of_debians_stubby_are_verified_as_they_were(tmp_path):
    if not pathlib.Path(DEBIAN["stubby"]).exists():
        pytest.skip("the package is not installed")
    taken = accepted(sotto("import", "stubby", DEBIAN["stubby"]).stdout.decode(), tmp_path)
    servers = re.search(r"^upstreams: (\[.*\])$", taken, re.MULTILINE)[1]
    assert servers.count('"tls://') == servers.count("?pin=sha256/") == servers.count("#") == 6


def test_standard_input_is_a_file():
    done = sotto("import", "dnschef", "-", text=b"[A]\na.example=192.0.2.1\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"# of standard input\n" in done.stdout and b'answer: "A 192.0.2.1"' in done.stdout


def test_what_is_no_section_spoils_all_unless_one_is_lenient():
    assert (imported("dnschef-unknown").returncode, imported("dnschef-unknown").stdout) == (78, b"")
    done = imported("dnschef-unknown", "--lenient")
    assert done.returncode == 1 and b"a.example, type: A" in done.stdout and b"alpn" not in done.stdout


def test_upstreams_in_clear_are_named_and_need_what_is_written(tmp_path):
    text = (SAMPLES / "resolved-plain.yaml").read_text()
    assert "require: nothing" in text
    assert "tls://8.8.8.8#dns.google is the same resolver, encrypted and verified" in text
    file = tmp_path / "sotto.yaml"
    file.write_text(re.sub("require: .*", "", text))
    assert sotto("check", str(file)).returncode == 78


def test_tls_that_is_said_behind_the_servers_counts():
    text = b'forward-zone:\n name: "."\n forward-addr: 192.0.2.1@853#a.example\nserver:\n tls-upstream: yes\n'
    done = sotto("import", "unbound", "-", text=text)
    assert b"tls://192.0.2.1#a.example" in done.stdout and b"udp:" not in done.stdout
    done = sotto("import", "resolved", "-", text=b"[Resolve]\nDNS=192.0.2.1#a.example\nDNSOverTLS=opportunistic\n")
    assert b"tls://192.0.2.1#a.example" in done.stdout and b"udp:" not in done.stdout


@pytest.mark.parametrize("arguments, status", [
    (("dnsmask", "dnsmasq.in"), 64), (("dnsmasq",), 64), (("dnsmasq", "a", "b"), 64),
    (("dnsmasq", "/nowhere"), 66), (("dnsmasq", "/"), 66),
])  # fmt: skip
def test_wrong_use_is_told(arguments, status):
    done = sotto("import", *arguments)
    assert (done.returncode, done.stdout) == (status, b"") and done.stderr.startswith(b"sotto: ")


FORMATS = sorted({n.partition("-")[0] for n in NAMES})


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", [
    pytest.param(bytes(range(256)) * 64, id="octets"), pytest.param(b"a" * (1 << 20), id="a-line-of-1-MiB"),
    pytest.param(b"address=/" + b"a/" * (1 << 19) + b"1.2.3.4\n", id="a-list-of-1-MiB"),
    pytest.param(b"[" * 100_000, id="brackets"), pytest.param(b"\xff\xfe[\0A\0]\0", id="utf-16"),
    pytest.param(b"[A]\n" + b"\0" * 100, id="nul"),
])  # fmt: skip
def test_rubbish_is_told_and_makes_nothing_of_itself(name, text, tmp_path):
    done = sotto("import", name, "-", text=text)
    assert done.returncode in (1, 78) and done.stderr.startswith(b"standard input"), done.stderr[-500:]
    assert done.stdout.isascii() and len(done.stdout) < 1000


SIGNS = "*?\"'\\/,:;#@.- =1aA0[]{}()%$&|\x7f\té"
WORDS = ("", "x", "1.2.3", "::1", "*", "*.x", "a b", "99999", "a..b", "x" * 70)


def mutated(line, chance):
    """The line with something else in it, left out, or in the place of another part; its indentation stays."""
    body = line.lstrip()
    indent, at, sign = line[: len(line) - len(body)], chance.randrange(len(body) + 1), chance.choice(SIGNS)
    parts = re.split(r"([,/ =:]+)", body)
    parts[chance.randrange(len(parts))] = chance.choice((*WORDS, chance.choice(parts)))
    ways = (body[:at] + sign + body[at:], body[:at] + sign + body[at + 1 :], body[:at] + body[at + 1 :], body[:at], "".join(parts))
    return indent + chance.choice(ways)


def mutant(name, seed):
    """A sample most of whose lines are mutated, some beside what they were; fewer where one spoils all."""
    chance = random.Random(f"{name} {seed}")
    share = 0.04 if name in ("stubby", "cloudflared", "dnsproxy") else 0.7
    lines = []
    for line in (SAMPLES / f"{name}.in").read_text().splitlines():
        changes = chance.random() < share
        lines += [mutated(line, chance)] if changes else []
        lines += [line] if not changes or chance.random() < 0.5 else []
    return "\n".join(lines) + "\n"


# What depends on this host, and not on what is written: files, and who listens here.
OF_THIS_HOST = re.compile(r"No such file or directory|Is a directory|a loop")


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_printed_is_taken(name, tmp_path):
    file, printed = tmp_path / "sotto.yaml", 0
    for seed in range(6):
        done = sotto("import", "--lenient", name.partition("-")[0], "-", text=mutant(name, seed).encode())
        assert done.returncode in (0, 1, 78), done.stderr[-2000:]
        if done.returncode == 78:
            continue
        printed += 1
        file.write_bytes(done.stdout)
        checked = sotto("check", str(file))
        told = [line for line in checked.stderr.decode().splitlines() if re.match(r"/", line) and not OF_THIS_HOST.search(line)]
        assert checked.returncode in (0, 78) and not told, f"seed {seed}: {told}\n{done.stdout.decode()}"
    assert printed


def told_of(format, text):
    done = sotto("import", format, "-", text=text.encode())
    return done.stdout.decode(), done.stderr.decode().splitlines()


@pytest.mark.parametrize("format, line, why", [
    ("unbound", 'server:\n local-data: "x.example A 1.2.3"', "could not parse the RR's rdata"),
    ("unbound", 'server:\n local-data: "*.x.example A 192.0.2.1"', "no pattern may stand here"),
    ("unbound", 'server:\n local-data: "x.example A 192.0.2.1"\n local-data: "x.example CNAME y.example"', "CNAME beside other data"),
    ("unbound", 'server:\n local-zone: "x.example" static\n local-zone: "x.example" refuse', "line 2 says otherwise"),
    ("unbound", "server:\n interface: 127.0.0.1@5353x", "is not an IP address"),
    ("dnsmasq", "no-resolv\nno-hosts\nptr-record=1.0.0.10.in-addr.arpa,a..b", "could not parse the RR's rdata"),
    ("dnsmasq", "no-resolv\nno-hosts\ncname=a.example,A.Example", "leads to itself"),
    ("dnsmasq", "no-resolv\nno-hosts\nhost-record=n?s.lan,192.0.2.1", "no pattern may stand here"),
    ("dnsmasq", "no-resolv\nno-hosts\nserver=/a$b.example/192.0.2.1", "is not a domain"),
    ("dnschef", "[A]\na\tb.example=192.0.2.1", "control characters"),
])  # fmt: skip
def test_what_would_not_be_taken_is_left(format, line, why):
    out, notes = told_of(format, line)
    number = line.count("\n") + 1
    assert any(note.startswith(f"standard input:{number}: ") and why in note for note in notes), notes
    assert f"# line {number}:" not in out


def test_a_name_exists_in_a_domain_of_nothing_if_there_is_one_below_it():
    out, notes = told_of("dnsmasq", "no-resolv\nno-hosts\nlocal=/lan/\nhost-record=a.b.lan,192.0.2.1\nmx-host=m.lan,x.example,1\n")
    assert notes == [] and all(f"{{ exact: {name}, action: nodata }}" in out for name in ("lan", "b.lan", "m.lan"))
    assert "exact: a.b.lan, action" not in out


def test_a_name_has_one_spelling_whatever_the_file_has():
    out, notes = told_of("dnsmasq", "no-resolv\nno-hosts\nlocal=/LAN./\nhost-record=Nas.lan.,192.0.2.1\nhost-record=nas.LAN,192.0.2.2\n")
    assert notes == [] and "exact:nas.lan" in out and out.count("nas.lan:") == 1
    out, notes = told_of("unbound", 'server:\n local-data: "A.x A 192.0.2.1"\n local-data: "a.X. TXT hello"\n')
    assert out.count("exact: a.x,") == 1


@pytest.mark.parametrize("words, scheme", [
    (["yes", "Opportunistic"], "tls"), (["strict"], "udp"), (["yes", "off"], "udp"), (["no", "yes"], "tls"),
])
def test_what_is_no_answer_to_dns_over_tls_is_told_and_changes_nothing(words, scheme):
    text = "[Resolve]\nDNS=192.0.2.1#x.example\n" + "".join(f"DNSOverTLS={word}\n" for word in words)
    out, notes = told_of("resolved", text)
    assert f"{scheme}://192.0.2.1" in out
    assert any("is not what systemd-resolved takes" in note for note in notes) == (words[-1] in ("Opportunistic", "strict"))


def test_a_user_of_a_url_is_no_host():
    out, _ = told_of("dnsproxy", "upstream:\n- https://user:secret@dns.example/q\n")
    assert '"tls://dns.example"' in out and '"tls://user' not in out


def test_stale_answers_stay_off_where_they_are_off():
    out, _ = told_of("unbound", "server:\n serve-expired: no\n serve-expired-ttl: 3600\n")
    assert "stale: 0s" in out


@pytest.mark.parametrize("lines, what", [
    ("min-cache-ttl=3600\nmax-cache-ttl=10\n", "longer than cache.ttl-max"), ("cname=a.x,b.x,700000\n", "too large"),
])
def test_what_does_not_go_together_is_told(lines, what):
    done = sotto("import", "dnsmasq", "-", text=f"no-resolv\nno-hosts\nserver=192.0.2.1\n{lines}".encode())
    assert done.returncode == 1 and b"`sotto check` does not take what is printed:" in done.stderr and what in done.stderr.decode()
