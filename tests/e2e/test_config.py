"""What is wrong with a configuration is told in full and exactly: tests/config holds broken ones (NAME.yaml) and what
`sotto check` says of each (NAME.expected). And what is right is taken from all places in their order."""

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
        "--upstream 1.1.1.1: a bare address would mean plain DNS; for DNS over TLS write tls://1.1.1.1",
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
    ],
)
def test_spellings_of_other_products_are_understood(given, understood):
    assert f'upstreams: ["{understood}"]' in effective("-u", given)


def test_every_key_is_in_the_documentation():
    table = subprocess.run([daemon.BINARY, "options"], capture_output=True, text=True, timeout=30).stdout
    assert table in (TOP / "docs" / "config.md").read_text()
