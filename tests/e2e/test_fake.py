"""`sotto fake` is DNSChef in one line: its options, its lines, and what it refuses."""

import re
import subprocess

import dns.message
import dns.query
import pytest

from bench import daemon, eventually


def fake(*arguments):
    return subprocess.run([daemon.BINARY, "fake", *arguments], capture_output=True, text=True, timeout=30)


@pytest.fixture
def lab(tmp_path):
    """Starts it, on a port of its own; what it does not fake is answered by nobody."""
    running = []

    def begin(*arguments):
        port, nobody = daemon.free_port(), daemon.free_port()
        log = tmp_path / "chef.log"
        command = [daemon.BINARY, "fake", "--port", str(port), "--nameservers", f"127.0.0.1#{nobody}", "--logfile", str(log)]
        with (tmp_path / "errors").open("w") as errors:
            process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=errors, text=True)
        running.append(process)
        assert eventually(lambda: "is ready" in (tmp_path / "errors").read_text())

        def ask(name, kind, client=dns.query.udp):
            return client(dns.message.make_query(name, kind), "127.0.0.1", port=port, timeout=30)

        def end():
            process.terminate()
            out, _ = process.communicate(timeout=30)
            assert process.returncode == 0
            assert daemon.SANITIZER_REPORT.search((tmp_path / "errors").read_text()) is None
            assert "the sandbox has gaps" not in (tmp_path / "errors").read_text()
            assert log.read_text() == out
            return re.sub(r"^\[\d\d:\d\d:\d\d\] ", "", out, flags=re.MULTILINE).splitlines()

        return ask, end

    yield begin
    for process in running:
        process.kill()
        process.wait()


def answers(response):
    return [str(r) for rrset in response.answer for r in rrset]


def test_all_names_but_some_are_faked_and_each_query_has_its_line(lab):
    ask, end = lab("--fakeip", "192.0.2.1", "--fakemail", "mail.example", "--truedomains", "ok.example")
    assert answers(ask("WwW.a.example", "A")) == ["192.0.2.1"]
    assert answers(ask("b.example", "A", dns.query.tcp)) == ["192.0.2.1"]
    assert answers(ask("a.b.c.d.e.f.g.h.i.j.k.example", "MX")) == ["10 mail.example."]
    assert answers(ask("ok.example", "A")) == answers(ask("b.example", "TXT")) == []
    assert end() == [
        "127.0.0.1: cooking the response of type 'A' for WwW.a.example to 192.0.2.1",
        "127.0.0.1: cooking the response of type 'A' for b.example to 192.0.2.1",
        "127.0.0.1: cooking the response of type 'MX' for a.b.c.d.e.f.g.h.i.j.k.example to 10 mail.example.",
        "127.0.0.1: proxying the response of type 'A' for ok.example",
        "127.0.0.1: proxying the response of type 'TXT' for b.example",
    ]


def test_only_some_names_are_faked_and_options_win_over_the_file(lab, tmp_path):
    file = tmp_path / "dnschef.ini"
    file.write_text("[A]\n*.a.example=192.0.2.1\nb.example=192.0.2.2\n[TXT]\nb.example=hello\n")
    ask, end = lab("--ip", "192.0.2.9", "--domains", "*.a.example", "--file", str(file))
    assert answers(ask("a.example", "A")) == answers(ask("x.a.example", "A")) == ["192.0.2.9"]
    assert answers(ask("b.example", "A")) == ["192.0.2.2"]
    assert answers(ask("b.example", "TXT")) == ['"hello"']
    assert answers(ask("y.x.a.example", "A")) == []
    assert len(end()) == 5


def test_dnschefs_words_and_ours_are_the_same():
    ours = fake("--print", "--ip", "192.0.2.1", "--ipv6", "2001:db8::1", "--mail", "m.example", "--alias", "c.example",
                "--ns", "n.example", "--domains", "a.example", "--listen", "[::1]:5300", "--quiet")  # fmt: skip
    theirs = fake("--print", "--fakeip", "192.0.2.1", "--fakeipv6", "2001:db8::1", "--fakemail", "m.example", "--fakealias",
                  "c.example", "--fakens", "n.example", "--fakedomains", "a.example", "-6", "-t", "-p", "5300", "-q")  # fmt: skip
    assert (ours.returncode, ours.stderr) == (0, "") and ours.stdout == theirs.stdout
    assert len(re.findall("dnschef: a.example", ours.stdout)) == 5


@pytest.mark.parametrize("arguments, status", [
    (("--ip", "192.0.2.1", "--domains", "a", "--except", "b"), 78), (("--domains", "a"), 78), (("--except", "a"), 78),
    (("--ip", "192.0.2"), 78), (("--ip",), 64), (("--nothing",), 64), (("word",), 64), (("--file", "/nowhere"), 66),
    (("--ip", "192.0.2.1", "--nameservers", "dns.example#53#https"), 78),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(arguments, status):
    done = fake("--listen", "127.0.0.1:1", *arguments)
    assert (done.returncode, done.stdout) == (status, "") and done.stderr
