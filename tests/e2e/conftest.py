"""Fixtures of the end-to-end tests. `upstream` and `sotto` live as long as a test file: tests keep apart by asking
for names of their own (`name`). What needs settings or faults of its own uses start_upstream and start_sotto."""

import contextlib
import itertools
import os
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from bench import clients, daemon, messages, netns, seen, zones  # noqa: E402
from bench.certificates import FRONT, Authority  # noqa: E402
from bench.upstream import Upstream  # noqa: E402

LONGEST = [f"test_{name}" for name in (
    "query_peers", "outages", "status", "query_tls", "cache_stale", "upstream", "cache_failures", "config", "network", "workers",
    "conformance_cache", "rules_config", "abuse_streams", "query_bad", "rules_load", "dot_abuse", "query_sent", "authentication",
    "conformance_basic", "import", "machine", "seed_dnsmasq", "reload",
)]
TLS_RECORDS = {0x14, 0x15, 0x16, 0x17}  # change cipher spec, alert, handshake, application data


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not os.access(daemon.BINARY, os.X_OK):
        pytest.exit(f"no program to test: {daemon.BINARY} (name another one by SOTTO=...)", returncode=2)


def pytest_collection_modifyitems(items):
    """A file is one worker's: those that take longest come first, so that none of them is what all wait for in the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    seen.begin()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield
    item.user_properties.append(("answers", ", ".join(seen.answers())))  # for docs/conformance.md


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """An authority that sotto is not told to trust."""
    return Authority(tmp_path_factory.mktemp("stranger"), "a stranger")


@pytest.fixture(scope="session")
def certificate(authority):
    return authority.issue()


@pytest.fixture
def name():
    return messages.unique_name()


def in_clear(upstream):
    """What reached a TLS upstream that is no TLS: in no test of all, whatever fails or ends in it, may it be anything."""
    return [
        f"in clear, to a TLS upstream: {bytes(connection.received)!r}"
        for connection in upstream.connections
        if not upstream.in_clear and not set(connection.record_types()) <= TLS_RECORDS
    ]


class Starter:
    """Starts upstreams and daemons and ends them, in the reverse order, all of them judged."""

    def __init__(self, authority, certificate, directory):
        self.authority, self.certificate, self.directory = authority, certificate, directory
        self._upstreams, self._daemons, self._numbers = [], [], itertools.count(1)

    def upstream(self, certificate=None, **how):
        started = Upstream(certificate or self.certificate, **how)
        self._upstreams.append(started)
        return started

    def sotto(self, *upstreams, serving=True, prefix=(), environment=None, handed=(), **settings):
        """A running sotto that asks these (Upstreams, or addresses as text); settings are keys of its file, None: left out."""
        config = {
            "listen": [f"127.0.0.1:{daemon.free_port()}"],
            "upstreams": [u if isinstance(u, str) else u.address() for u in upstreams],
            "policy": "ordered",  # so that a test knows who is asked
            "cache": {"size": 0},  # so that every query is a miss
            "tls": {"ca": str(self.authority.file)},
            "workers": 1,
            "log": {"level": "debug"},
            "control": "none",
            "state": "none",  # not the host's
            "sandbox": daemon.SANDBOX,
        }
        config.update(settings)
        config = {key: value for key, value in config.items() if value is not None}
        directory = self.directory / f"sotto-{next(self._numbers)}"
        directory.mkdir()
        started = daemon.Sotto(directory, config, prefix, environment, handed)
        self._daemons.append(started)
        if serving:
            started.wait_until_serving()
        return started

    def forget(self, sotto):
        """One that has ended, and was judged."""
        assert sotto.process.poll() is not None
        self._daemons.remove(sotto)

    def stop(self):
        faults = []
        for started in reversed(self._daemons):
            try:
                if started.process.poll() is None:
                    started.stop()
                else:
                    started.wait()
                    started.must_be_clean()
            except AssertionError as fault:
                faults.append(str(fault))
        for started in self._upstreams:
            started.stop()
            faults += [f"the upstream could not serve {wire.hex()}: {error!r}" for wire, error in started.errors]
            faults += in_clear(started)
        assert not faults, "\n".join(faults)


@pytest.fixture
def start(authority, certificate, tmp_path):
    starter = Starter(authority, certificate, tmp_path)
    yield starter
    starter.stop()


@pytest.fixture
def start_sotto(start):
    return start.sotto


@pytest.fixture
def start_upstream(start):
    return start.upstream


@pytest.fixture(scope="session")
def front(authority):
    """What sotto shows to clients."""
    return authority.issue(names=(FRONT, "*.wild.test"), addresses=("127.0.0.1",))


@pytest.fixture
def start_front(start_sotto, front):
    """Starts a sotto that has another endpoint, that of the text at a free port; it is `front` of what is returned."""

    def begin(*upstreams, how="tls://127.0.0.1:{}", certificate=None, **settings):
        port = daemon.free_port()
        shown = certificate or {"cert": str(front.chain), "key": str(front.key)}
        listen = [f"127.0.0.1:{daemon.free_port()}", how.format(port)]
        sotto = start_sotto(*upstreams, listen=listen, certificate=shown, **settings)
        sotto.front = ("127.0.0.1", port)
        return sotto

    return begin


@pytest.fixture
def state(tmp_path):
    """A folder for the state."""
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def kept(state, start_sotto):
    """Starts a daemon that keeps its answers there."""

    def kept(*upstreams, cache=None, **how):
        return start_sotto(*upstreams, state=str(state), cache={"size": "4MiB"} | (cache or {}), **how)

    return kept


@pytest.fixture
def control_path():
    """Where a control socket may be; short, since 107 octets are the most."""
    with tempfile.TemporaryDirectory(prefix="sotto-") as folder:
        yield os.path.join(folder, "control.sock")


@pytest.fixture
def run_sotto(start_sotto, control_path):
    """Starts a sotto with a control socket."""

    def begin(*upstreams, **settings):
        return start_sotto(*upstreams, **{"control": control_path, **settings})

    return begin


@pytest.fixture(scope="module")
def shared(authority, certificate, tmp_path_factory):
    starter = Starter(authority, certificate, tmp_path_factory.mktemp("shared"))
    yield starter
    starter.stop()


@pytest.fixture(scope="module")
def upstream(shared):
    return shared.upstream()


@pytest.fixture(scope="module")
def sotto(shared, upstream):
    """One daemon for a whole test file; if a test killed it, the next one says so."""
    return shared.sotto(upstream)


@pytest.fixture
def not_forwarded(sotto, upstream):
    """A context in which nothing may reach the upstream."""

    @contextlib.contextmanager
    def watch():
        before = len(upstream.queries)
        yield
        fence = messages.unique_name("fence")
        clients.ask(sotto.address, fence, over="tcp")
        assert [query.asked.name for query in upstream.queries[before:]] == [fence]

    return watch


@pytest.fixture(params=["udp", "tcp"])
def over(request):
    return request.param


@pytest.fixture(scope="session")
def namespaces():
    reason = netns.reason_not_to()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def mounts():
    reason = netns.reason_not_to_mount()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def link(namespaces):
    made = netns.Link()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def knot(tmp_path_factory):
    """Knot DNS with the zones of bench/zones.py."""
    started = zones.Knot(tmp_path_factory.mktemp("servers") / "knot")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def nsd(knot, authority, tmp_path_factory):
    """NSD with the same ones, over TLS as well."""
    shown = authority.issue(addresses=("127.0.0.1",))
    started = zones.Nsd(tmp_path_factory.mktemp("servers") / "nsd", knot, shown)
    yield started
    started.stop()
