"""What programs that look for weaknesses find at the listener for TLS: sslscan and testssl.sh (RFC 9325, F-82)."""

import collections
import json
import os
import xml.etree.ElementTree

import pytest

from bench.certificates import FRONT
from bench.clients import addresses, ask, has_tool, tool
from bench.messages import address_of, unique_name


def is_answered(sotto):
    name = unique_name()
    return addresses(ask(sotto.front, name, over="tls")) == [address_of(name)]


@pytest.mark.skipif(not has_tool("sslscan"), reason="sslscan is not installed")
def test_f_82_sslscan_finds_two_versions_and_nothing_weak(start_front, upstream):
    sotto = start_front(upstream)
    document = xml.etree.ElementTree.fromstring(tool("sslscan", "--xml=-", "--no-colour", ":".join(map(str, sotto.front))))
    found = collections.defaultdict(list)
    for one in document.find("ssltest"):
        found[one.tag].append(one.attrib)
    assert {p["version"] for p in found["protocol"] if p["enabled"] != "0"} == {"1.2", "1.3"}
    assert {c["sslversion"] for c in found["cipher"]} == {"TLSv1.2", "TLSv1.3"}
    for cipher in found["cipher"]:
        assert cipher["strength"] in ("acceptable", "strong") and int(cipher["bits"]) >= 128, cipher
        # Of hybrid key exchange, newer versions name no curve.
        forward = cipher["cipher"].startswith("ECDHE-") or cipher["sslversion"] == "TLSv1.3"
        assert forward, f"no forward secrecy: {cipher}"
    assert found["group"] and all(int(group["bits"]) >= 128 for group in found["group"])
    assert {h["sslversion"]: h["vulnerable"] for h in found["heartbleed"]} == {"TLSv1.2": "0", "TLSv1.3": "0"}
    assert [r["supported"] for r in found["renegotiation"]] == ["0"]
    assert all(c["supported"] == "0" for c in found["compression"])  # it is left out where sslscan knows none
    assert is_answered(sotto)


# Versions, kinds of ciphers, forward secrecy, preferences, what a hello is answered, and all weaknesses that have a name.
CHECKS = ("-p", "-s", "-f", "-P", "-S", "-U")
LOOKED_AT = {
    "SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_aNULL", "heartbleed", "CCS", "ticketbleed",
    "ROBOT", "secure_renego", "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST",
    "LUCKY13", "RC4", "cert_chain_of_trust",
}  # fmt: skip
# Nobody has published anything about the certificate of a test.
OF_THE_TEST = {"cert_revocation", "DNS_CAArecord"}


@pytest.mark.skipif("SOAK_SECONDS" not in os.environ, reason="takes minutes: ./test full")
@pytest.mark.skipif(not has_tool("testssl"), reason="testssl.sh is not installed")
def test_f_82_testssl_finds_nothing_that_is_worse_than_low(start_front, upstream, authority, tmp_path):
    shown, report = authority.issue(names=(FRONT,), addresses=("127.0.0.1",), end=90), tmp_path / "report.json"
    sotto = start_front(upstream, certificate={"cert": str(shown.chain), "key": str(shown.key)})
    tool(
        "testssl", *CHECKS, "--warnings", "batch", "--color", "0", "--add-ca", authority.file, "--jsonfile", report,
        ":".join(map(str, sotto.front)), timeout=400, check=False,
    )  # fmt: skip
    found = json.loads(report.read_text())
    assert {f["id"] for f in found} >= LOOKED_AT
    assert not [f for f in found if f["severity"] not in ("OK", "INFO", "LOW", "WARN") and f["id"] not in OF_THE_TEST]
    assert is_answered(sotto)
