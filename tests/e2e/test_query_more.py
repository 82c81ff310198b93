"""What `sotto query` does beyond one question and its text: +json, +resume, +keepopen, +count, +padding, the chain, and
@sotto."""

import json

import pytest
from bench import behaviours, messages
from bench.asking import sotto_query
from bench.certificates import NAME
from bench.daemon import free_port
from bench.messages import opt, option, record, unique_name
from bench.plain import Plain

PADDING = 12
USAGE, SILENCE, UNREACHED, TLS, UNMET = 64, 65, 67, 68, 72


@pytest.fixture
def plain():
    server = Plain()
    yield server
    server.stop()


@pytest.fixture
def ask(start_upstream, authority):
    """Asks a TLS server of ours."""
    server = start_upstream()

    def ask(*words, **how):
        return sotto_query(f"@{server.address()}", f"+tls-ca={authority.file}", *words, **how)

    ask.server = server
    return ask


def padded_to(size):
    """A reply that is padded to so many octets, as if by RFC 8467."""

    def with_padding(asked):
        bare = messages.reply(asked, (record("A", b"\xc0\0\2\1"),), edns=opt(options=option(PADDING)))
        fill = option(PADDING, bytes(size - len(bare)))
        return messages.reply(asked, (record("A", b"\xc0\0\2\1"),), edns=opt(options=fill))

    return behaviours.message(with_padding)


# ---- +json


def test_json_says_what_was_asked_and_what_came(plain, name):
    asked = sotto_query(f"@{plain.address()}", name, "A", "+json", "+nocookie")
    (sent,) = plain.asked(name)
    o = asked.object()
    assert asked.status == 0
    assert o["server"] == {"address": "127.0.0.1", "port": plain.port, "transport": "udp"}
    assert (o["query"]["name"], o["query"]["type"], o["query"]["class"]) == (name + ".", "A", "IN")
    assert o["query"]["octets"] == len(sent.wire)
    assert o["query"]["id"] == o["reply"]["id"] == int.from_bytes(sent.wire[:2], "big")
    reply = o["reply"]
    assert (reply["rcode"], reply["opcode"]) == ("NOERROR", 0) and "qr" in reply["flags"]
    assert reply["question"] == {"name": name + ".", "type": "A", "class": "IN"}
    (answer,) = reply["answer"]
    assert answer == {"name": name + ".", "ttl": 300, "class": "IN", "type": "A", "data": messages.address_of(name)}
    assert o["octets"] * 2 == len(o["message"]) and bytes.fromhex(o["message"])[:2] == sent.wire[:2]
    assert (o["tls"], o["tsig"], o["tries"]) == (None, None, 1)


def test_json_tells_edns_and_extended_errors(plain, name):
    error = option(15, b"\0\x12blocked")
    plain.when(name, behaviours.answer(edns=opt(size=1400, options=error), rcode=messages.REFUSED))
    asked = sotto_query(f"@{plain.address()}", name, "+json")
    reply = asked.object()["reply"]
    assert asked.status == messages.REFUSED and reply["rcode"] == "REFUSED"
    assert reply["edns"]["udp_size"] == 1400
    assert reply["edns"]["extended_errors"] == [{"code": 18, "text": "blocked"}]
    assert reply["edns"]["options"] == [{"code": 15, "hex": error[4:].hex()}]


def test_json_is_an_object_for_each_question(plain):
    names = [unique_name() for _ in range(3)]
    words = [word for name in names for word in ("-q", name)]
    asked = sotto_query(f"@{plain.address()}", *words, "+json")
    assert [o["query"]["name"] for o in asked.objects()] == [name + "." for name in names]


def test_json_survives_text_that_is_no_utf8(plain, name):
    plain.when(name, behaviours.answer(record("TXT", b"\5\xff\xfe\"\\\n")))
    (answer,) = sotto_query(f"@{plain.address()}", name, "TXT", "+json").object()["reply"]["answer"]
    assert answer["type"] == "TXT" and answer["data"].isascii()


# ---- TLS


def test_the_chain_is_told_with_its_pins(ask, name, authority, certificate):
    asked = ask(name, "+json")
    tls = asked.object()["tls"]
    own, above = tls["chain"]
    assert asked.status == 0 and tls["verified"] and not tls["resumed"] and tls["doubt"] is None
    assert (tls["version"], tls["alpn"]) == ("TLSv1.3", "dot") and tls["cipher"] and tls["group"]
    assert (own["subject"], above["subject"]) == (f"CN={NAME}", own["issuer"])
    assert (own["pin"], above["pin"]) == (certificate.pin, authority.pin)
    assert own["days_left"] in (29, 30)


def test_a_pin_that_is_told_can_be_pasted(ask, name):
    text = ask(name).text
    pins = [line.split("pin=")[1] for line in text.splitlines() if "pin=" in line]
    assert len(pins) == 2
    again = sotto_query(f"@tls://127.0.0.1:{ask.server.port}?pin={pins[0]}", name)
    assert again.status == 0 and ", verified" in again.text


def test_a_second_connection_is_resumed(ask, name):
    asked = ask(name, "+resume", "+json")
    first, second = asked.objects()
    assert asked.status == 0, asked.complaints
    assert (first["tls"]["resumed"], second["tls"]["resumed"]) == (False, True)
    assert len(second["tls"]["chain"]) == 2 and len(ask.server.connections) == 2


def test_a_server_that_gives_no_ticket_is_told(ask, name):
    ask.server.context.num_tickets = 0
    asked = ask(name, "+resume")
    assert asked.status == UNMET and "gave no ticket" in asked.complaints


# ---- +padding


def test_padding_of_the_reply_is_verified(ask, name):
    ask.server.when(name, padded_to(468))
    asked = ask(name, "+padding")
    assert asked.status == 0 and "make it 468, a multiple of 468" in asked.text, asked.text
    assert ask(name, "+padding", "+json").object()["reply"]["padding"]["block"] == 468


def test_padding_to_no_block_is_told(ask, name):
    ask.server.when(name, padded_to(467))
    asked = ask(name, "+padding")
    assert asked.status == 0 and "no multiple of 468" in asked.text


def test_a_reply_over_tls_without_padding_does_not_hold(ask, name):
    ask.server.when(name, behaviours.answer(record("A", b"\xc0\0\2\1"), edns=opt()))
    asked = ask(name, "+padding")
    assert asked.status == UNMET and "the reply is not padded" in asked.text


def test_nobody_pads_in_clear(plain, name):
    plain.when(name, behaviours.answer(record("A", b"\xc0\0\2\1"), edns=opt()))
    asked = sotto_query(f"@{plain.address()}", name, "+padding")
    assert asked.status == 0 and "the reply is not padded" in asked.text


# ---- +keepopen


def test_names_share_a_connection_and_come_out_of_order(ask):
    names = [unique_name() for _ in range(3)]

    def last_first(queries):
        for query in reversed(queries):
            behaviours.derive(query)

    gather = behaviours.gather(3, last_first)
    for name in names:
        ask.server.when(name, gather)
    asked = ask("+keepopen", "+json", *(word for name in names for word in ("-q", name)))
    assert asked.status == 0, asked.complaints
    assert [o["query"]["name"] for o in asked.objects()] == [name + "." for name in reversed(names)]
    for o in asked.objects():
        (answer,) = o["reply"]["answer"]
        assert answer["data"] == messages.address_of(o["query"]["name"].rstrip("."))
    assert len(ask.server.connections) == 1


def test_a_connection_that_ends_loses_what_it_owes(ask):
    good, bad = unique_name(), unique_name()
    ask.server.when(bad, behaviours.close())
    asked = ask("+keepopen", "+json", "-q", good, "-q", bad)
    assert asked.status == SILENCE
    assert [o["query"]["name"] for o in asked.objects()] == [good + "."]
    assert bad in asked.complaints


# ---- +count


def load_of(*words):
    asked = sotto_query(*words, "+json")
    return asked, asked.object()


def test_a_load_is_summed_up(plain, name):
    asked, o = load_of(f"@{plain.address()}", name, "+count=50")
    assert asked.status == 0 and len(plain.asked(name)) == 50
    assert (o["questions"], o["answered"], o["lost"], o["rcodes"]) == (50, 50, 0, {"NOERROR": 50})
    times = o["latency_seconds"]
    assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p99"] <= times["max"] <= o["took_seconds"]


def test_a_load_keeps_to_its_rate(plain, name):
    _, o = load_of(f"@{plain.address()}", name, "+count=21", "+rate=20")
    assert o["took_seconds"] >= 1  # the last one is due a second after the first


def test_what_is_lost_of_a_load_is_counted(plain, name):
    plain.when(name, behaviours.first_then(behaviours.derive, behaviours.silence, behaviours.rcode(messages.NXDOMAIN)))
    asked, o = load_of(f"@{plain.address()}", name, "+count=4", "+time=1")
    assert asked.status == SILENCE
    assert (o["answered"], o["lost"], o["rcodes"]) == (3, 1, {"NOERROR": 1, "NXDOMAIN": 2})


def test_a_load_goes_over_as_many_connections_as_are_wanted(ask, name):
    asked = ask(name, "+count=40", "+connections=4", "+json")
    o = asked.object()
    assert asked.status == 0, asked.complaints
    assert (o["answered"], o["connections"], len(ask.server.connections)) == (40, 4, 4)
    assert {len(connection.queries) for connection in ask.server.connections} == {10}


def test_a_load_ends_when_nobody_listens(ask, name):
    ask.server.stop_listening()
    asked = ask(name, "+count=1000", "+json")
    assert asked.status == UNREACHED and asked.object()["lost"] < 10


def test_a_load_is_text_for_people(plain, name):
    text = sotto_query(f"@{plain.address()}", name, "+count=10").text
    assert text.startswith(";; 10 questions in ") and " 10 answered, 0 lost (0.0 %)" in text
    assert ";; RCODE: NOERROR 10\n" in text and ";; ms: min " in text


# ---- @sotto


def test_the_running_sotto_is_asked_and_says_what_becomes_of_it(run_sotto, start_upstream, name, control_path):
    sotto = run_sotto(start_upstream(), cache={"size": "4MiB"})
    where = {"SOTTO_LISTEN": f"127.0.0.1:{sotto.port}", "SOTTO_CONTROL": control_path}
    asked = sotto_query("@sotto", name, **where)
    assert asked.status == 0, asked.complaints
    assert messages.address_of(name) in asked.text
    assert asked.text.index("the running sotto says") < asked.text.index("upstream") < asked.text.index("UDP response")
    said, reply = sotto_query("@sotto", name, "+json", **where).objects()
    assert reply["server"]["port"] == sotto.port
    assert said["name"] == name + "."


def test_the_running_sotto_is_asked_over_tcp_if_that_is_wanted(run_sotto, start_upstream, name, control_path):
    sotto = run_sotto(start_upstream(), cache={"size": "4MiB"})
    asked = sotto_query("@sotto", name, "+tcp", SOTTO_LISTEN=f"127.0.0.1:{sotto.port}", SOTTO_CONTROL=control_path)
    assert asked.status == 0 and "TCP response" in asked.text, asked.text + asked.complaints


def test_a_sotto_that_does_not_run_is_not_reached(control_path, name):
    asked = sotto_query("@sotto", name, "+tcp", SOTTO_LISTEN="127.0.0.1:1", SOTTO_CONTROL=control_path)
    assert asked.status == UNREACHED


@pytest.fixture
def places(run_sotto, start_upstream, front, control_path, tmp_path):
    """A running sotto that listens in three ways, and files of a configuration that has one of them."""
    address, secure, path = f"127.0.0.1:{free_port()}", f"tls://127.0.0.1:{free_port()}", control_path + ".dns"
    shown = {"cert": str(front.chain), "key": str(front.key)}
    run_sotto(start_upstream(), listen=[address, secure, f"unix:{path}"], certificate=shown)

    def place(*listen, certificate=shown):
        words = {"plain": address, "tls": secure, "unix": f"unix:{path}", "nowhere": f"unix:{path}.not-there"}
        config = {"listen": [words[one] for one in listen], "control": control_path}
        file = tmp_path / f"{'-'.join(listen)}.yaml"
        file.write_text(json.dumps(config | ({"certificate": certificate} if certificate else {})))
        return f"+config={file}"

    return place


def test_the_running_sotto_is_where_the_configuration_that_is_named_says(places, stranger, front, name):
    def ask(place, *words):
        asked = sotto_query("@sotto", place, name, *words)
        assert asked.status or messages.address_of(name) in asked.text
        return asked

    def is_over(asked, how):
        assert asked.status == 0 and f";; {how} response" in asked.text, asked.text + asked.complaints

    assert "the running sotto says" in ask(places("plain")).text
    is_over(ask(places("tls", "plain")), "UDP")
    is_over(ask(places("unix", "plain"), "+tcp"), "TCP")
    unix = ask(places("unix", "tls"))
    is_over(unix, "TCP")
    assert "('unix', 0)" in unix.text
    for secure in ask(places("tls")), ask(places("plain", "tls"), "+tls"):
        is_over(secure, "TLS")
        assert "not resumed, verified" in secure.text
    assert ask(places("nowhere")).status == UNREACHED
    for place, words in ("tls", "+tcp"), ("plain", "+tls"):
        missing = ask(places(place), words)
        assert missing.status == USAGE and "listens nowhere for" in missing.complaints


def test_over_tls_the_running_sotto_is_known_by_its_key_unless_another_proof_is_wanted(places, stranger, front, authority, name):
    def ask(*words, **how):
        return sotto_query("@sotto", places("tls", **how), name, *words)

    other = {"cert": str(stranger.issue().chain), "key": str(front.key)}
    for_another = ask(certificate=other)
    assert for_another.status == TLS and "pin" in for_another.complaints
    assert ask(f"+tls-ca={authority.file}", certificate=other).status == 0, "the address is in its certificate"
    assert ask(f"+tls-ca={stranger.file}").status == TLS
    assert ask(f"+tls-ca={authority.file}", "+tls-hostname=someone.else.test").status == TLS
    thrown_away = ask(certificate="self-signed")
    assert thrown_away.status == USAGE and "+tls-pin=" in thrown_away.complaints
    assert ask("+tls=noauth", certificate="self-signed").status == 0
    missing = ask(certificate={"cert": "/nonexistent/cert.pem", "key": str(front.key)})
    assert missing.status == USAGE and "/nonexistent/cert.pem" in missing.complaints


@pytest.mark.parametrize("words", [
    ["@sotto", "-p", "53"], ["@sotto", "-4"], ["@sotto", "-b127.0.0.1"], ["@sotto", "+tls-port=853"],
    ["@sotto", "+tls", "+tls-fallback"], ["@127.0.0.1", "+config=/etc/sotto/sotto.yaml"],
], ids=" ".join)
def test_the_running_sotto_has_its_own_place(words, name):
    said = sotto_query(*words, name)
    assert said.status == USAGE and "@sotto is" in said.complaints
