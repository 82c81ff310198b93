"""TLS as servers really speak it: sessions, old and odd servers, alerts (F-17, F-18, F-19; rows of RFC 7858 and 8446 are
named). Who a server must be is in test_authentication.py."""

import ssl

import pytest

from bench import behaviours, eventually
from bench.certificates import NAME
from bench.claims import are_answered, fails, is_answered, names, reconnect
from bench.hello import offers_session
from bench.upstream import BOTH_VERSIONS, V12, V13

# ---- sessions


@BOTH_VERSIONS
def test_7858_06_a_session_is_resumed_when_connecting_again(version, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    assert all(reconnect(sotto, upstream).resumed for _ in range(3))
    assert not upstream.connections[0].resumed and not offers_session(upstream.connections[0])


def test_8446_02_a_session_ticket_is_used_once(start_upstream, start_sotto):
    upstream = start_upstream(versions=(V13, V13))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    upstream.context.num_tickets = 0  # there were two
    first, second, third = [offers_session(reconnect(sotto, upstream)) for _ in range(3)]
    assert first and second and first != second and not third


@BOTH_VERSIONS
def test_f_19_a_server_that_lost_its_ticket_keys_is_met_from_the_beginning(version, certificate, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream, log={"level": "info"})
    is_answered(sotto)
    upstream.show(certificate)
    again = reconnect(sotto, upstream)
    assert offers_session(again) and not again.resumed
    assert reconnect(sotto, upstream).resumed
    assert not sotto.log(msg="upstream failed")


@BOTH_VERSIONS
def test_f_19_a_resumption_that_breaks_off_is_followed_by_a_full_handshake(version, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    upstream.close_connections()
    assert eventually(lambda: not any(c.open for c in upstream.connections))

    def break_off(connection):
        if offers_session(connection):
            connection.transport.write(alert(INTERNAL_ERROR))
        else:
            connection.speaks_tls = True

    upstream.instead_of_tls = break_off
    is_answered(sotto)
    with_ticket, without = upstream.connections[1:]
    assert offers_session(with_ticket) and not offers_session(without)


@BOTH_VERSIONS
def test_f_19_a_session_outlives_a_change_of_the_certificate_and_not_of_the_trust(
    version, authority, start_upstream, start_sotto
):
    """While the server honours its tickets it has proved to be the one that got them, whatever it shows to others."""
    upstream = start_upstream(versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    upstream.show(authority.issue(names=("other.test",)), keep_tickets=True)
    assert reconnect(sotto, upstream).resumed
    upstream.show(authority.issue(names=("other.test",)))
    upstream.close_connections()
    before = len(upstream.queries)
    fails(sotto)
    assert len(upstream.queries) == before


# ---- TLS as servers speak it


def test_8446_03_the_name_and_dot_are_sent_and_tls_is_new(start_upstream, start_sotto):
    upstream = start_upstream()
    is_answered(start_sotto(upstream))
    seen = upstream.connections[0]
    assert (seen.server_name, seen.alpn, seen.version) == (NAME, "dot", "TLSv1.3")


def test_8446_03_f_18_tls_1_2_is_spoken_where_there_is_no_newer(start_upstream, start_sotto):
    upstream = start_upstream(versions=(V12, V12))
    sotto = start_sotto(upstream)
    are_answered(sotto, names(50))
    assert upstream.connections[0].version == "TLSv1.2"


def test_8446_03_f_18_tls_1_1_is_refused(start_upstream, start_sotto):
    upstream = start_upstream(versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
    fails(start_sotto(upstream))
    assert not upstream.queries


def test_an_upstream_that_ignores_alpn_is_used(start_upstream, start_sotto):
    upstream = start_upstream(alpn=())
    is_answered(start_sotto(upstream))


def test_f_18_a_hello_retry_request_is_followed(start_upstream, start_sotto):
    upstream = start_upstream(versions=(V13, V13), curve="secp384r1")
    sotto = start_sotto(upstream)
    is_answered(sotto)
    reconnect(sotto, upstream)
    hellos = [c.record_types().count(0x16) for c in upstream.connections]
    assert hellos == [2, 2], "there was no second ClientHello"
    assert [line["group"] for line in sotto.wait_for_log(2, msg="upstream connected")] == ["secp384r1"] * 2


@BOTH_VERSIONS
def test_f_18_a_certificate_chain_of_60_kb_is_read(version, authority, certificate, start_upstream, start_sotto):
    upstream = start_upstream(authority.padded(certificate, 80 * 1024), versions=(version, version))
    sotto = start_sotto(upstream)
    is_answered(sotto)
    assert reconnect(sotto, upstream).resumed


@BOTH_VERSIONS
def test_f_18_a_certificate_chain_without_end_is_not(version, authority, certificate, start_upstream, start_sotto):
    upstream = start_upstream(authority.padded(certificate, 200 * 1024), versions=(version, version))
    sotto = start_sotto(upstream)
    fails(sotto)
    assert not upstream.queries
    assert "excessive message size" in sotto.wait_for_log(msg="upstream failed")[0]["reason"]


@BOTH_VERSIONS
def test_f_18_a_server_that_would_like_a_certificate_gets_none(version, authority, start_upstream, start_sotto):
    upstream = start_upstream(versions=(version, version), ask=authority.file)
    is_answered(start_sotto(upstream))
    assert upstream.connections[0].client_certificate is None


@BOTH_VERSIONS
def test_f_18_a_server_that_insists_on_a_certificate_leaves_the_query_to_the_next(
    version, authority, start_upstream, start_sotto
):
    bad, good = start_upstream(versions=(version, version), ask=authority.file, insist=True), start_upstream()
    sotto = start_sotto(bad, good)
    is_answered(sotto)
    line = sotto.wait_for_log(msg="upstream failed", upstream=bad.address())[0]
    # In TLS 1.2 there is no word for it (RFC 5246 §7.4.6).
    assert line["cause"] == ("client-certificate" if version is V13 else "alert")
    assert "certificate" in line["hint"] + line["reason"]
    assert not bad.queries


# ---- F-17: alerts, at each moment

INTERNAL_ERROR = 80
ALERTS = {
    "handshake_failure": (40, "nothing in common with us"),
    "decrypt_error": (51, "decrypt error"),
    "internal_error": (INTERNAL_ERROR, "internal error"),
    "unrecognized_name": (112, "unrecognized name"),
    "no_application_protocol": (120, 'refuses the protocol "dot"'),
}


def alert(number, level=2):
    return bytes([0x15, 3, 3, 0, 2, level, number])


CLOSE_NOTIFY = alert(0, level=1)


def one_refuses_the_other_answers(bad, good, sotto):
    """The query goes to the next, and the log names the one it did not get to; which line is returned."""
    is_answered(sotto)
    assert bad.connections and not bad.queries and good.queries
    return sotto.wait_for_log(msg="upstream failed", upstream=bad.address())[0]


@pytest.mark.parametrize("what", ALERTS)
def test_f_17_an_alert_instead_of_a_hello_leaves_the_query_to_the_next(what, start_upstream, start_sotto):
    number, words = ALERTS[what]
    bad, good = start_upstream(instead_of_tls=behaviours.plain(alert(number))), start_upstream()
    line = one_refuses_the_other_answers(bad, good, start_sotto(bad, good))
    assert line["phase"] == "handshake" and words in line["reason"]


@pytest.mark.parametrize("number", [42, 43, 44, 45, 46, 48, 116])
def test_an_alert_about_a_certificate_is_about_ours(number, start_upstream, start_sotto):
    bad, good = start_upstream(instead_of_tls=behaviours.plain(alert(number))), start_upstream()
    line = one_refuses_the_other_answers(bad, good, start_sotto(bad, good))
    assert line["cause"] == "client-certificate" and "certificate of ours" in line["reason"]
    assert "?cert=FILE&key=FILE" in line["hint"]


def test_f_17_a_goodbye_instead_of_a_hello_leaves_the_query_to_the_next(start_upstream, start_sotto):
    bad, good = start_upstream(instead_of_tls=behaviours.plain(CLOSE_NOTIFY)), start_upstream()
    line = one_refuses_the_other_answers(bad, good, start_sotto(bad, good))
    assert (line["phase"], line["cause"]) == ("handshake", "closed")


def test_f_17_an_alert_behind_the_hello_leaves_the_query_to_the_next(start_upstream, start_sotto):
    bad, good = start_upstream(versions=(V12, V12), behind_hello=alert(INTERNAL_ERROR)), start_upstream()
    line = one_refuses_the_other_answers(bad, good, start_sotto(bad, good))
    assert line["phase"] == "handshake" and "internal error" in line["reason"]


def test_f_17_an_alert_in_clear_where_all_is_encrypted_leaves_the_query_to_the_next(start_upstream, start_sotto):
    """Behind its first flight a server of TLS 1.3 is known, and the query may be on its way."""
    bad, good = start_upstream(versions=(V13, V13), behind_hello=alert(INTERNAL_ERROR)), start_upstream()
    sotto = start_sotto(bad, good, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "30s"})
    is_answered(sotto)
    assert good.queries and sotto.wait_for_log(msg="upstream failed", upstream=bad.address())


@BOTH_VERSIONS
@pytest.mark.parametrize("octets", [alert(INTERNAL_ERROR), b"not a record of TLS"], ids=["alert", "noise"])
def test_f_17_what_was_never_encrypted_ends_a_connection_that_stands(octets, version, start_upstream, start_sotto, name):
    def spoil(query):
        query.connection.transport.write(octets)

    bad, good = start_upstream(versions=(version, version)), start_upstream()
    bad.when(name, spoil)
    sotto = start_sotto(bad, good, timeouts={"query": "60s", "attempt": "30s", "upstream-silent": "30s"})
    is_answered(sotto)
    assert is_answered(sotto, name), "no timer helps: the connection itself must be given up"
    assert len(bad.asked(name)) == 1 and eventually(lambda: not bad.connections[0].open)


def test_f_17_a_warning_that_the_name_is_unknown_is_no_refusal(start_upstream, start_sotto):
    """Servers that have one certificate for all names send it, and go on (RFC 6066 §3)."""

    def warn(connection):
        connection.transport.write(alert(112, level=1))
        connection.speaks_tls = True

    is_answered(start_sotto(start_upstream(versions=(V12, V12), instead_of_tls=warn)))
