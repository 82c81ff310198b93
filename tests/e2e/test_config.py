"""What is wrong with a configuration is told in full and exactly: tests/config holds broken ones (NAME.yaml) and what
`sotto check` says of each (NAME.expected). What is right is taken from all places in their order; tests/config/good holds
some, and what is in force then."""

import pathlib
import re
import subprocess

import pytest

from bench import daemon

BROKEN = pathlib.Path(__file__).parent.parent / "config"
TOP = BROKEN.parent.parent


def check(*arguments, cwd=None, **environment):
    return subprocess.run(
        [daemon.BINARY, "check", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=30
    )


def effective(*arguments, **environment):
    done = check(*arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


NAMES = sorted(f.stem for f in BROKEN.glob("*.yaml"))
SHOWN = re.compile(r"^([\w.-]+):(\d+):(\d+): .*\n *(\d+) \| (.*)\n *\| ( *)\^$", re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_configuration_is_told_exactly(name):
    done = check(f"{name}.yaml", cwd=BROKEN)
    assert (done.returncode, done.stdout) == (78, "")
    expected = (BROKEN / f"{name}.expected").read_text()
    if ": not YAML: " in expected:  # the library's words and places, which change with its version
        assert re.match(rf"{name}\.yaml:\d+:\d+: not YAML: \w", done.stderr)
        assert SHOWN.match(done.stderr) and done.stderr.endswith("^\n1 error\n")
    else:
        assert done.stderr == expected


@pytest.mark.parametrize("name", NAMES)
def test_what_is_expected_points_at_what_stands_at_its_place(name):
    expected = (BROKEN / f"{name}.expected").read_text()
    lines = (BROKEN / f"{name}.yaml").read_text().splitlines() + [""]
    shown = SHOWN.findall(expected)
    assert len(shown) == int(re.search(r"^(\d+) errors?\n\Z", expected, re.MULTILINE)[1])
    for file, number, column, again, excerpt, blanks in shown:
        assert (file, again) == (f"{name}.yaml", number)
        at = lines[int(number) - 1][int(column) - 1 :][:1]
        assert excerpt[len(blanks) :][:1] == at.replace("\t", " "), (number, column)


GOOD = sorted(f.stem for f in (BROKEN / "good").glob("*.yaml"))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_in_force_is_printed_in_full(name):
    done = check(f"{name}.yaml", cwd=BROKEN / "good")
    assert (done.returncode, done.stdout) == (0, (BROKEN / "good" / f"{name}.expected").read_text()), done.stderr


@pytest.mark.parametrize("name", GOOD)
def test_what_is_printed_is_a_configuration_of_which_the_same_is_printed(name):
    done = check(f"{name}.expected", cwd=BROKEN / "good")
    assert (done.returncode, done.stdout) == (0, (BROKEN / "good" / f"{name}.expected").read_text()), done.stderr


@pytest.fixture
def write(tmp_path):
    def begin(text, name="sotto.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return str(file)

    return begin


def test_what_check_prints_is_a_configuration_that_says_the_same(write, authority, tmp_path):
    ca = tmp_path / "a b.pem"
    ca.write_bytes(pathlib.Path(authority.file).read_bytes())
    printed = effective("--set", "timeouts.query=3s", "-l", "[::1]:5300", "-u", f"tls://192.0.2.1#dns.example?ca={ca}")
    assert effective(write(printed)) == printed


def test_a_later_place_wins_over_an_earlier_one(write):
    file = write("timeouts: {query: 2s}\n")
    assert "query: 4s" in effective("--set", "workers=1")
    assert "query: 2s" in effective(file)
    write("timeouts: {query: 3s}\n", "conf.d/50.yaml")
    assert "query: 3s" in effective(file)
    write("timeouts: {query: 5s}\n", "conf.d/60.yaml")
    assert "query: 5s" in effective(file)
    assert "query: 6s" in effective(file, SOTTO_TIMEOUTS_QUERY="6s")
    assert "query: 7s" in effective(file, "--set", "timeouts.query=7s", SOTTO_TIMEOUTS_QUERY="6s")


def test_a_list_replaces_a_list_whole(write):
    file = write("listen: [127.0.0.1, 127.0.0.2]\n")
    assert 'listen: ["127.0.0.3:53"]' in effective(file, "--listen", "127.0.0.3")
    assert 'listen: ["127.0.0.4:53", "[::1]:53"]' in effective(file, SOTTO_LISTEN="127.0.0.4, [::1]")
    assert 'listen: ["127.0.0.5:53"]' in effective(file, "--set", "listen=[127.0.0.5]")


def section(printed, key):
    """The lines under a key, and what stands behind it."""
    return re.search(rf"^{key}:(.*\n(?: .*\n)*)", printed, re.MULTILINE)[1]


def test_maps_are_set_by_a_variable():
    printed = effective(
        SOTTO_GROUPS="{lan: udp://10.0.0.1, quick: {upstreams: [udp://10.0.0.2, 'udp://[fd00::1]'], policy: race}}",
        SOTTO_ZONES="corp.example: lan",
    )
    assert section(printed, "groups") == (
        '\n  lan: ["udp://10.0.0.1"]\n  quick:\n    upstreams: ["udp://10.0.0.2", "udp://[fd00::1]"]\n    policy: race\n'
    )
    assert section(printed, "zones") == "\n  corp.example: lan\n"
    assert section(effective(SOTTO_ZONES=""), "zones") == " {}\n"


def test_entries_of_maps_are_keys_for_set():
    printed = effective(
        *("--set", "groups.lan=udp://10.0.0.1, udp://10.0.0.2"),
        *("--set", "groups.lan.policy=ordered"),
        *("--set", "groups.one.upstreams=[udp://10.0.0.3]"),
        *("--set", "groups.two={upstreams: [udp://10.0.0.4]}"),
        *("--set", "zones.corp.example=lan"),
        *("--set", "zones.168.192.in-addr.arpa=udp://10.0.0.5"),
        *("--set", "zones={example.org: [udp://10.0.0.6]}"),
    )
    assert section(printed, "groups") == (
        '\n  lan:\n    upstreams: ["udp://10.0.0.1", "udp://10.0.0.2"]\n    policy: ordered\n'
        '  one: ["udp://10.0.0.3"]\n  two: ["udp://10.0.0.4"]\n'
    )
    assert section(printed, "zones") == (
        '\n  corp.example: lan\n  168.192.in-addr.arpa: ["udp://10.0.0.5"]\n  example.org: ["udp://10.0.0.6"]\n'
    )


def test_an_entry_of_a_map_replaces_that_entry(write):
    file = write("groups: {lan: [udp://10.0.0.1], wan: [tls://9.9.9.9]}\nzones: {a.example: lan, b.example: lan}\n")
    write("groups: {lan: [udp://10.0.0.2]}\n", "conf.d/50.yaml")
    printed = effective(file, "--set", "zones.B.example.=wan", SOTTO_GROUPS="{wan: {policy: race}}")
    assert section(printed, "groups") == (
        '\n  lan: ["udp://10.0.0.2"]\n  wan:\n    upstreams: ["tls://9.9.9.9"]\n    policy: race\n'
    )
    assert section(printed, "zones") == "\n  a.example: lan\n  b.example: wan\n"


def test_what_is_wrong_in_a_map_of_a_variable_is_shown_where_it_stands():
    done = check(SOTTO_ZONES="{corp.example: [udp://10.0.0.53, 10.0.0.54], example.org: lan}")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == (
        "SOTTO_ZONES:1:34: zones.corp.example[1]: a bare address would mean plain DNS; for DNS over TLS write "
        "tls://10.0.0.54, for plain DNS udp://10.0.0.54\n"
        "    1 | {corp.example: [udp://10.0.0.53, 10.0.0.54], example.org: lan}\n"
        "      |                                  ^\n"
        'SOTTO_ZONES:1:59: zones.example.org: there is no group "lan" in groups:\n'
        "    1 | {corp.example: [udp://10.0.0.53, 10.0.0.54], example.org: lan}\n"
        "      |                                                           ^\n"
        "2 errors\n"
    )


@pytest.mark.parametrize(
    "setting, problem",
    [
        ("zones.corp.example=lam", '--set zones.corp.example=lam: there is no group "lam"; did you mean "lan"?'),
        ("zones.corp.example=", "--set zones.corp.example=: needs at least one and at most 32"),
        ("zones.=lan", '--set zones.=lan: "" is not a domain'),
        ("zone.corp.example=lan", "--set zone.corp.example=lan: unknown key"),
        ("zoness.corp.example=lan", "--set zoness.corp.example=lan: unknown key"),
        ("groups.lan.policy=fast", '--set groups.lan.policy=fast: "fast" is not fastest, ordered, race or spread'),
        ("groups.default=udp://10.0.0.1", '--set groups.default=udp://10.0.0.1: "default" is the name of the group of upstreams:'),
        ("groups.a.b=udp://10.0.0.1", "--set groups.a.b=udp://10.0.0.1: the name of a group consists of letters, digits, - and _"),
        ("hedge=on", '--set hedge=on: "on" is not true or false'),
        ("zones=lan", "--set zones:1:1: zones: a value stands where a map is expected"),
        ("groups={lan: [udp://10.0.0.1}", None),
    ],
)
def test_what_is_wrong_in_an_entry_is_named(setting, problem):
    done = check("--set", "groups.lan=udp://10.0.0.53", "--set", setting)
    assert (done.returncode, done.stdout) == (78, "")
    first, *rest = done.stderr.splitlines()
    if problem:
        assert first == problem
    else:
        assert first.startswith("--set groups:1:") and ": not YAML: " in first
    assert rest[-1] == "1 error"


def test_an_entry_has_no_variable_of_its_own():
    done = check(SOTTO_GROUPS_LAN="udp://10.0.0.53")
    assert done.stderr.startswith("SOTTO_GROUPS_LAN: unknown variable; did you mean \"SOTTO_GROUPS\"?\n")


def test_addresses_of_a_host_are_one_word_of_a_list():
    hinted = "tls://a.example?tls=1.3&bootstrap=192.0.2.1,2001:db8::1&weight=7"
    printed = effective(SOTTO_UPSTREAMS=f"{hinted},tls://192.0.2.3 tls://192.0.2.4")
    assert section(printed, "upstreams") == f' ["{hinted}", "tls://192.0.2.3", "tls://192.0.2.4"]\n'


def test_a_bare_address_behind_a_comma_is_refused_still():
    done = check(SOTTO_UPSTREAMS="tls://a.example,192.0.2.2")
    assert done.stderr.startswith("SOTTO_UPSTREAMS: upstreams[1]: a bare address would mean plain DNS; ")


def test_state_is_the_folder_that_the_service_manager_made(tmp_path):
    assert section(effective(STATE_DIRECTORY=f"{tmp_path}:/elsewhere"), "state") == f" {tmp_path}\n"
    assert section(effective("--set", "state=none", STATE_DIRECTORY=str(tmp_path)), "state") == " none\n"


def test_a_wrong_variable_is_named_with_the_nearest_one():
    done = check(SOTTO_WORKER="1", SOTTO_TIMEOUTS_QUERY="x")
    assert done.returncode == 78
    assert sorted(done.stderr.splitlines()) == [
        "2 errors",
        'SOTTO_TIMEOUTS_QUERY: "x" is not a duration such as 800ms, 4s or 1h',
        'SOTTO_WORKER: unknown variable; did you mean "SOTTO_WORKERS"?',
    ]


def test_a_wrong_argument_is_named():
    done = check("--set", "worker=1", "--upstream", "1.1.1.1")
    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        "--upstream 1.1.1.1: a bare address would mean plain DNS; for DNS over TLS write tls://1.1.1.1, "
        "for plain DNS udp://1.1.1.1",
        '--set worker=1: unknown key; did you mean "workers"?',
        "2 errors",
    ]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    done = check("none.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == "none.yaml: cannot be read: No such file or directory\n1 error\n"


def test_what_is_not_text_is_an_error_at_its_byte(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"workers: 1\nlog: {level: \xe9}\n")
    done = subprocess.run([daemon.BINARY, "check", "latin.yaml"], cwd=tmp_path, capture_output=True, timeout=30)
    assert done.returncode == 78
    assert done.stderr.startswith(b"latin.yaml:2:14: byte 0xe9 is not text in UTF-8\n    2 | log: {level: ")


@pytest.mark.parametrize(
    "given, understood",
    [
        ("tls://1.1.1.1:853#one.example", "tls://1.1.1.1#one.example"),
        ("tls://one.example@1.1.1.1", "tls://1.1.1.1#one.example"),
        ("1.1.1.1#one.example", "tls://1.1.1.1#one.example"),
        ("1.1.1.1@853#one.example", "tls://1.1.1.1#one.example"),
        ("tcp-tls:1.1.1.1:853#one.example", "tls://1.1.1.1#one.example"),
        ("tls://1.1.1.1%one.example", "tls://1.1.1.1#one.example"),
        ("tcp-tls:dns.example:8853", "tls://dns.example:8853"),
        ("tcp+udp:10.0.0.53", "udp://10.0.0.53"),
    ],
)
def test_spellings_of_other_products_are_understood(given, understood):
    assert f'upstreams: ["{understood}"]' in effective("-u", given)


def test_the_certificates_of_the_system_are_needed_only_to_verify_somebody(tmp_path):
    missing = f"{tmp_path}/none.pem"
    for upstream in ("udp://10.0.0.53", "tls://192.0.2.1?verify=no"):
        effective("--set", "require=encrypted", "-u", upstream, SSL_CERT_FILE=missing)
    for upstream in ("tls://192.0.2.1", "tls://dns.example"):
        done = check("-u", upstream, "--set", "bootstrap=udp://10.0.0.53", SSL_CERT_FILE=missing)
        assert (done.returncode, done.stderr) == (
            78,
            f"default: tls.ca: cannot read the CA certificates in {missing}: No such file or directory; install the "
            "package ca-certificates, or name a PEM file in tls.ca\n1 error\n",
        )


def test_of_several_entries_that_which_is_wrong_is_named():
    for given, source in (
        ({"SOTTO_UPSTREAMS": "tls://192.0.2.1 tls:// tls://192.0.2.3"}, "SOTTO_UPSTREAMS"),
        (("--set", "upstreams=tls://192.0.2.1,tls://"), "--set upstreams=tls://192.0.2.1,tls://"),
    ):
        done = check(**given) if isinstance(given, dict) else check(*given)
        assert done.stderr == f"{source}: upstreams[1]: no address; write tls://ADDRESS or tls://NAME\n1 error\n"
    for given in (("--set", "upstreams=tls://"), ("-u", "tls://192.0.2.1", "--upstream", "tls://")):
        assert "upstreams[" not in check(*given).stderr


def test_certificates_that_are_named_are_needed_whoever_uses_them(tmp_path):
    done = check("-u", "udp://10.0.0.53", SOTTO_TLS_CA=f"{tmp_path}/none.pem")
    assert done.returncode == 78 and done.stderr.startswith("SOTTO_TLS_CA: cannot read the CA certificates in ")


def test_an_upstream_for_single_domains_is_understood_as_zones(start_sotto, upstream):
    given = "[/Corp.example/]" + upstream.address()
    sotto = start_sotto(upstream, given)
    line = sotto.wait_for_log(msg="spelling of another product understood")[0]
    assert (line["given"], line["as"]) == (given, "zones: {corp.example: [%s]}" % upstream.address())
    assert sotto.log_of_start()["zones"] == "corp.example: " + upstream.address()


SNIPPETS = [
    pytest.param(snippet, id=f"{file}-{n}")
    for file in ("README.md", "docs/config.md")
    for n, snippet in enumerate(re.findall(r"^```yaml\n(.*?)^```", (TOP / file).read_text(), re.MULTILINE | re.DOTALL))
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_what_the_documentation_shows_is_a_configuration(write, snippet, tmp_path):
    for list_file in re.findall(r"/etc/sotto/(\w+\.txt)", snippet):
        (tmp_path / list_file).write_text("a.test\n")
    effective(write(snippet.replace("/etc/sotto/", f"{tmp_path}/")))


def test_every_key_is_in_the_documentation():
    table = subprocess.run([daemon.BINARY, "options"], capture_output=True, text=True, timeout=30).stdout
    assert table in (TOP / "docs" / "config.md").read_text()
