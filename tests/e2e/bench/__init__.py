"""The bench: a scripted DNS-over-TLS server, byte-exact clients, throw-away certificates, and sotto itself.

    clients  ->  sotto  ->  upstream
    clients.py   daemon.py  upstream.py, plain.py, behaviours.py, certificates.py

messages.py builds the bytes of all of them; netns.py makes small networks for what loopback cannot show, tun.py slow ones;
iptables.py makes them lose packets; seen.py notes which answers were misses and which hits.
"""

import time


def eventually(check, timeout=10.0):
    """Waits until check() is true, and returns what it returned; False when the time is over."""
    end = time.monotonic() + timeout
    while True:
        seen = check()
        if seen or time.monotonic() > end:
            return seen
        time.sleep(0.01)
