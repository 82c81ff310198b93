#!/usr/bin/env python3
"""S-52: whatever the timers are set to, a daemon that starts answers. Plays with settings drawn from a seed: timers.py SIM [SEED].

Each play has a server that is silent and one that is good, and asks of them several times. With any settings the first query is
answered in its time, be it with SERVFAIL; and the last, when sotto had time to learn who is good, with an answer."""

import pathlib
import random
import subprocess
import sys
import tempfile

PLAYS = 60
# Keys that hold durations, and the least and the most of each, in ms.
TIMERS = {
    "timeouts.query": (100, 3600000), "timeouts.attempt": (10, 3600000), "timeouts.connect": (10, 3600000),
    "timeouts.upstream-idle": (0, 86400000), "timeouts.upstream-silent": (10, 3600000),
    "timeouts.client-idle": (100, 86400000), "timeouts.message": (100, 3600000), "timeouts.write": (100, 3600000),
    "cache.ttl-min": (0, 3600000), "cache.ttl-max": (1000, 604800000), "cache.ttl-negative": (1000, 86400000),
    "cache.stale": (0, 604800000), "cache.stale-after": (0, 3600000), "cache.failure": (1000, 300000),
}
NOT_ABOVE = {"timeouts.attempt": "timeouts.query", "timeouts.connect": "timeouts.query", "cache.ttl-min": "cache.ttl-max"}


def draw(dice):
    """Some of the timers, often at their ends, in the order that the configuration asks for."""
    times = {}
    for key in dice.sample(sorted(TIMERS), dice.randrange(1, len(TIMERS) + 1)):
        least, most = TIMERS[key]
        drawn = round(max(least, 1) * (most / max(least, 1)) ** dice.random())
        times[key] = dice.choice((least, most, drawn, drawn))
    for less, more in NOT_ABOVE.items():
        if less in times:
            times[less] = min(times[less], times.get(more, {"timeouts.query": 4000}.get(more, 86400000)))
    return times


def play(times, dice):
    deadline = times.get("timeouts.query", 4000)
    lines = [f"set {key}={ms}ms" for key, ms in times.items()]
    lines += ["set cache.size=4MiB"] if dice.random() < 0.5 else []
    lines += [
        "upstream mute", "upstream good", "client ann udp", "client bob tcp", "good always answers", "mute goes silent",
        "ann asks a.test", f"ann hears a.test within {deadline + 1}ms",
    ]
    for name in "bcdefgh":
        lines += ["wait for 2s", f"ann asks {name}.test", f"ann hears {name}.test within {deadline + 1}ms"]
    lines += ["bob connects", "bob asks z.test", f"bob hears z.test own within {deadline + 1}ms"]
    return "\n".join(lines) + "\n"


def main(sim, seed=1):
    for number in range(int(seed), int(seed) + PLAYS):
        dice = random.Random(number)
        text = play(draw(dice), dice)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, f"timers-{number}.play")
            file.write_text(text)
            done = subprocess.run([sim, file], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            sys.exit(f"{text}\n{done.stdout[-4000:]}{done.stderr}\nagain: tests/sim/timers.py {sim} {number}")
    print(f"{PLAYS} plays")


main(*sys.argv[1:])
