"""The language of badpeer: what a server does on each of its connections, step by step.

    each: answer x10, close                     # ten answers, then close_notify and FIN
    connection 1: answer after 200ms            # the first connection is slow, and lives
    connections 3..: refuse                     # from the third on nobody listens

A script is rules, one a line (in one line: separated by `;`); `#` starts a comment. A rule is WHICH: STEP, STEP, ...
The first rule that fits a connection is the connection's; one that no rule fits answers everything.

WHICH
    each                     every connection
    connection N             the N-th since the program was started
    connections N-M, N..     from the N-th to the M-th; from the N-th on
    now                      those that are open when the script is read, instead of their own rule
    name PATTERN             no connection but all queries for these names (`odd.example`, `*.example`), on whatever
                             connection: steps are answer and silence, one a query, and the last stays

A script that is read at run time holds for the connections that are open, too: each leaves what it was doing and
starts with the first step of its rule behind `tls`. Answers that it had begun still go out.

BEFORE TLS
    refuse                   is the whole rule: nobody listens, connecting is refused (RST to SYN). Who is refused is
                             not seen and not counted, so this holds until another script is read
    tcp                      as the first step: what follows, up to `tls`, happens on bare TCP
    tls OPTION...            the handshake; at the start it may be left out, and so may `answer` at the end behind it
        version V, V-W           1.1, 1.2 or 1.3; 1.2-1.3 if not said
        alpn NAME, none          dot if not said
        certificate WHICH        good, expired, not-yet, wrong-name, self-signed, other-ca, or a file (PEM: chain and key)
        group NAME               the only key exchange group: secp384r1 makes many clients try again (HelloRetryRequest)
        no-tickets               sessions cannot be resumed (else: where a rule has the same options)
        ask-certificate          the client is asked for a certificate, and may have none

STEPS THAT TAKE QUERIES     one each, or as many as HOW OFTEN says; the last step of a rule takes all that come
    answer MODIFIER...       the answer that follows from the name
    silence                  none
    HOW OFTEN
        xN                       N queries
        until idle D             until the connection was idle for D: nothing came, nothing is owed
        for D                    for this long
    MODIFIER
        after D                  D later; other answers do not wait for it
        drip N per D             N octets per D, each time in a record of its own; other answers wait
        split K...               a new record begins behind each of these octets of the frame (its length is two of them)
        join N                   N answers in one record
        reorder N                N answers in the reverse order of their queries
        swap                     two queries get each other's answer under their own ID
        duplicate N              N times
        wrong-id                 under an ID that is not the query's
        wrong-question           the answer to another name
        wrong-type               the answer to another type
        other-case               the question in the other case
        rcode X                  no data, but SERVFAIL, REFUSED, NXDOMAIN, NOTIMP, FORMERR or a number
        tc                       truncated, no data
        size N                   N octets in all, filled with TXT records
        length N                 N in the length field, whatever the length
        keepalive D              edns-tcp-keepalive with this idle timeout, in steps of 100ms
        no-opt                   no OPT record, as a server without EDNS
        close-at, fin-at, reset-at K   K octets of the frame, then as close, fin, reset

OTHER STEPS                 taken when all answers before them are out
    close                    close_notify and FIN
    fin                      FIN without close_notify
    reset                    RST
    notify                   close_notify, and the connection stays; nothing can be sent on it any more
    alert X                  a TLS alert by name or number, fatal but for close_notify (0) and user_canceled (90);
                             behind `tls` only in TLS 1.3, and the last thing that is said
    send HEX                 these octets, as they are (`send 0000`: a frame of no octets)
    stall, stall D           does nothing, for ever or for D; queries wait
    stop-reading             leaves what comes in the kernel: the window closes
    read                     reads again
    repeat                   from the first step behind `tls`

D is 20ms, 1.5s or 0.
"""

import dataclasses
import fnmatch
import re

from . import messages

SELECTORS = ("each", "connection", "connections", "now", "name")
FRAME_STEPS = ("answer", "silence")
ENDINGS = {"close": "notify", "fin": "fin", "reset": "reset"}
RCODES = {name: getattr(messages, name) for name in ("FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")}
VERSIONS = ("1.1", "1.2", "1.3")
ALERTS = {
    "close_notify": 0, "unexpected_message": 10, "bad_record_mac": 20, "handshake_failure": 40, "bad_certificate": 42,
    "decode_error": 50, "decrypt_error": 51, "protocol_version": 70, "internal_error": 80, "user_canceled": 90,
    "unrecognized_name": 112, "no_application_protocol": 120,
}


class ScriptError(ValueError):
    """What is wrong with a script, and in which rule."""


@dataclasses.dataclass
class Step:
    verb: str
    options: dict = dataclasses.field(default_factory=dict)
    often: tuple = None  # ("x", N), ("idle", D), ("for", D); None: once
    value: object = None  # of alert, send, stall

    @property
    def takes_queries(self):
        return self.verb in FRAME_STEPS


@dataclasses.dataclass
class Rule:
    text: str
    refuse: bool = False
    bare: list = dataclasses.field(default_factory=list)  # on TCP, before the handshake
    tls: dict = None  # its options; None: there is no handshake
    steps: list = dataclasses.field(default_factory=list)


class Script:
    def __init__(self, text=""):
        self.text = text
        self._connections, self.now, self.names = [], None, []
        for line in re.split(r"[;\n]", re.sub(r"#[^\n]*", "", text)):
            if line.strip():
                self._add(" ".join(line.split()))

    def rule_for(self, number):
        """The rule of the connection of this number."""
        return next((rule for first, last, rule in self._connections if first <= number <= last), ANSWER_ALL)

    def steps_for(self, name):
        """The steps of the first `name` rule that fits, or None."""
        return next((steps for pattern, steps in self.names if fnmatch.fnmatch(name, pattern)), None)

    def _add(self, line):
        which, colon, steps = line.partition(":")
        words = which.split()
        if not colon or not words or words[0] not in SELECTORS:
            raise ScriptError(f"`{line}`: a rule starts with one of {', '.join(SELECTORS)}, and a colon")
        try:
            if len(words) != (1 if words[0] in ("each", "now") else 2):
                raise ValueError(f"`{which}` is no choice of connections or names")
            rule = _rule(line, [step.split() for step in steps.split(",")])
            getattr(self, f"_add_{words[0]}")(rule, *words[1:])
        except (ValueError, IndexError) as error:
            raise ScriptError(f"`{line}`: {error}") from None

    def _add_each(self, rule):
        self._connections.append((1, float("inf"), rule))

    def _add_connection(self, rule, number):
        self._connections.append((int(number), int(number), rule))

    def _add_connections(self, rule, numbers):
        first, _, last = numbers.partition("-") if "-" in numbers else numbers.partition("..")
        self._connections.append((int(first), int(last) if last else float("inf"), rule))

    def _add_now(self, rule):
        self.now = rule

    def _add_name(self, rule, pattern):
        if not all(step.takes_queries and step.often is None for step in rule.steps):
            raise ValueError("a name has the steps answer and silence, one a query")
        self.names.append((pattern.lower(), rule.steps))


class _Words:
    """The words of one step, taken from the left."""

    def __init__(self, words):
        self._words = list(words)

    def __bool__(self):
        return bool(self._words)

    def next(self, what):
        if not self._words:
            raise ValueError(f"{what} is missing at the end of a step")
        return self._words.pop(0)

    def number(self):
        word = self.next("a number")
        if not word.isdigit():
            raise ValueError(f"`{word}` is no number")
        return int(word)

    def numbers(self):
        found = [self.number()]
        while self._words and self._words[0].isdigit():
            found.append(self.number())
        return found

    def duration(self):
        word = self.next("a duration")
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)|0", word)
        if not found:
            raise ValueError(f"`{word}` is no duration such as 20ms, 1.5s, 0")
        return float(found[1] or 0) / (1000 if found[2] == "ms" else 1)

    def literal(self, expected):
        word = self.next(f"`{expected}`")
        if word != expected:
            raise ValueError(f"`{expected}` is expected, not `{word}`")

    def one_of(self, table, what):
        word = self.next(what)
        if word not in table and not word.isdigit():
            raise ValueError(f"`{word}` is no {what}")
        return table[word] if word in table else int(word)


def _drip(words):
    octets = words.number()
    words.literal("per")
    if not octets:
        raise ValueError("a drip has at least one octet")
    return octets, words.duration()


def _versions(words):
    word = words.next("a version")
    first, _, last = word.partition("-")
    if first not in VERSIONS or (last or first) not in VERSIONS:
        raise ValueError(f"`{word}` is no version of TLS such as 1.2, 1.2-1.3")
    return first, last or first


def _flag(_words):
    return True


def _word(words):
    return words.next("a value")


MODIFIERS = {
    "after": _Words.duration, "drip": _drip, "split": _Words.numbers, "join": _Words.number,
    "reorder": _Words.number, "swap": _flag, "duplicate": _Words.number, "wrong-id": _flag, "wrong-question": _flag,
    "wrong-type": _flag, "other-case": _flag, "rcode": lambda words: words.one_of(RCODES, "rcode"), "tc": _flag,
    "size": _Words.number, "length": _Words.number, "keepalive": _Words.duration, "no-opt": _flag,
    "close-at": _Words.number, "fin-at": _Words.number, "reset-at": _Words.number,
}
TLS_OPTIONS = {
    "version": _versions, "alpn": _word, "certificate": _word, "group": _word, "no-tickets": _flag,
    "ask-certificate": _flag,
}
VALUES = {  # of the other steps
    "close": None, "fin": None, "reset": None, "notify": None, "stop-reading": None, "read": None, "repeat": None,
    "alert": lambda words: words.one_of(ALERTS, "alert"),
    "send": lambda words: bytes.fromhex(words.next("octets in hex")),
    "stall": lambda words: words.duration() if words else None,
}
AMOUNTS = ("until", "idle", "for")
WORDS = {
    *SELECTORS, "refuse", "tcp", "tls", *TLS_OPTIONS, *FRAME_STEPS, *AMOUNTS, *MODIFIERS, "per", *VALUES,
}


def _rule(text, steps):
    if steps == [["refuse"]]:
        return Rule(text, refuse=True)
    rule = Rule(text, tls={})
    on_bare_tcp = steps[0] == ["tcp"]
    if on_bare_tcp:
        rule.tls = None
    for at, words in enumerate(steps[on_bare_tcp:]):
        if words[:1] == ["tls"] and (at == 0 or rule.tls is None):
            rule.tls = _options(_Words(words[1:]), TLS_OPTIONS)
        else:
            (rule.bare if rule.tls is None else rule.steps).append(_step(words))
    _must_make_sense(rule)
    if rule.tls is not None and not rule.steps:
        rule.steps = [Step("answer")]
    return rule


def _must_make_sense(rule):
    for step in rule.bare:
        if step.takes_queries or step.verb in ("notify", "repeat"):
            raise ValueError(f"`{step.verb}` needs TLS")
    if any(step.verb == "repeat" for step in rule.steps) and not any(
        step.takes_queries or step.verb == "stall" for step in rule.steps
    ):
        raise ValueError("`repeat` would never wait for anything")
    if rule.tls and rule.tls.get("version", ("", "1.3"))[1] != "1.3" and any(s.verb == "alert" for s in rule.steps):
        raise ValueError("an alert behind `tls` needs TLS 1.3")


def _step(words):
    if not words:
        raise ValueError("a step is empty")
    verb, rest = words[0], _Words(words[1:])
    if verb in FRAME_STEPS:
        return _frame_step(verb, rest)
    if verb not in VALUES:
        raise ValueError(f"`{verb}` is no step")
    step = Step(verb, value=VALUES[verb](rest) if VALUES[verb] else None)
    if rest:
        raise ValueError(f"`{rest.next('')}` does not belong to {verb}")
    return step


def _frame_step(verb, words):
    step = Step(verb)
    while words:
        word = words.next("")
        if re.fullmatch(r"x[1-9]\d*", word):
            step.often = ("x", int(word[1:]))
        elif word == "until":
            words.literal("idle")
            step.often = ("idle", words.duration())
        elif word == "for":
            step.often = ("for", words.duration())
        elif verb == "answer" and word in MODIFIERS:
            step.options[word] = MODIFIERS[word](words)
        else:
            raise ValueError(f"`{word}` does not belong to {verb}")
    return step


def _options(words, table):
    found = {}
    while words:
        word = words.next("")
        if word not in table:
            raise ValueError(f"`{word}` does not belong to tls")
        found[word] = table[word](words)
    return found


ANSWER_ALL = Rule("each: answer", tls={}, steps=[Step("answer")])
