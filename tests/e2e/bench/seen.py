"""What a test has seen of the daemon: over which transports it was answered, and whether by a miss, a hit or by itself.

Nothing of this is claimed by the tests: the clients and upstreams of the bench note what passes them by. A *miss* is an
answer for which an upstream was asked after the client had; a *hit* one for which none was, to a question that the same
daemon had answered before from an upstream; what is neither was the daemon's *own* word, such as REFUSED.
"""

import collections
import itertools

NXDOMAIN = 3

_moments = itertools.count(1)
_forwarded = {}  # a question: the last moment at which it reached an upstream
_learned = {}  # a daemon and a question, or a name: the moment of the first answer that came from an upstream
_answers = set()  # (transport, how), of the test that runs


def begin():
    _answers.clear()


def answers():
    """All that was seen since begin()."""
    return sorted(f"{over} {how}" for over, how in _answers)


def question_of(message):
    """Name, type and class, without case; None if a message has no question that can be read."""
    at = 12
    while at < len(message) and 0 < message[at] < 64:
        at += 1 + message[at]
    return bytes(message[12 : at + 5]).lower() if at + 5 <= len(message) and not message[at] else None


def forwarded(message):
    """An upstream was asked."""
    _forwarded[question_of(message)] = next(_moments)


class Talk:
    """What one client has asked of a daemon and not been answered yet."""

    def __init__(self, over, daemon):
        self._over, self._daemon = over, daemon[:2]
        self._waiting = collections.defaultdict(list)  # by ID
        self._octets = bytearray()

    def asked(self, message):
        self._waiting[bytes(message[:2])].append((question_of(message), next(_moments)))

    def wrote(self, octets):
        """Octets of a stream, cut anywhere."""
        self._octets += octets
        while len(self._octets) >= 2 + (size := int.from_bytes(self._octets[:2], "big")):
            self.asked(self._octets[2 : 2 + size])
            del self._octets[: 2 + size]

    def heard(self, message):
        question, waiting = question_of(message), self._waiting[bytes(message[:2])]
        for at, (asked, moment) in enumerate(waiting):
            if question in (None, asked):
                del waiting[at]
                _answers.add((self._over, self._how(asked, moment, message[3] & 15)))
                return

    def _how(self, question, moment, rcode):
        name = question and question[:-4]
        if question and _forwarded.get(question, 0) > moment:
            for known in (question, name):
                _learned.setdefault((self._daemon, known), next(_moments))
            return "miss"
        known = (self._daemon, name if rcode == NXDOMAIN else question)  # which is said of all types of a name
        return "hit" if _learned.get(known, moment) < moment else "own"
