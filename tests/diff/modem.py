#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""modem.py RECEIVER WORKDIR [N]: lrzsz's sx, sb and sz against our receiver
over a made-up serial line: each protocol, sizes, batches, breaks, and noise.
A transfer is right when the bytes are (XMODEM: and its padding), or when it
ends with a reason in bounded time where that may be. N: so many transfers
through noise, and nothing else; prints what became of them."""

import multiprocessing
import os
import random
import re
import subprocess
import sys
import time

from modem_line import Line, Noise, stop

SENDERS = {"sx": ["sx"], "sx-k": ["sx", "-k"], "sb": ["sb"],
           "sb-k": ["sb", "-k"], "sz": ["sz"], "sz-e": ["sz", "-e"],
           "sz-o": ["sz", "-o"]}
WORKERS = 10
STALL = 120
BOUND = STALL + 12 + 10 + 5  # of modem.h, for a call that gets nothing new


class Case:
    """One transfer. what: how it has to end: "ok", a reason's name, or
    "any" (right, or any reason)."""

    def __init__(self, name, sender, size, what="ok", **more):
        self.name, self.sender, self.size, self.what = name, sender, size, what
        self.content = more.pop("content", "random")
        self.protocol = more.pop("protocol", "auto")
        self.options = more.pop("options", [])
        self.first = more.pop("first", False)      # the sender is
        self.line = more.pop("line", {})
        self.noise = more.pop("noise", None)       # (seed, rates, back rates)
        self.batch = more.pop("batch", 1)
        self.event = more.pop("event", None)
        self.sender_ends = more.pop("sender_ends", None)
        self.lossless = more.pop("lossless", False)
        self.limit = more.pop("limit", 60)
        assert not more


def content(kind, size, seed):
    if kind == "escapes":
        return bytes(b"\x18\x11\x13\x7f\xff\x8d\x0d@"[i * 7 % 8]
                     for i in range(size))
    if kind == "zeros":
        return bytes(size)
    return random.Random(seed).randbytes(size)


def run(job):
    number, case, receiver, work = job
    folder = os.path.join(work, str(number))
    os.makedirs(folder, exist_ok=True)
    data = content(case.content, case.size, number)
    names = []
    for i in range(case.batch):
        names.append(os.path.join(folder, "the file %d.raucb" % i))
        with open(names[-1], "wb") as file:
            file.write(data if i == 0 else b"another")
    noise = back = None
    if case.noise:
        seed, rates, back_rates = case.noise
        noise, back = Noise(seed, **rates), Noise(seed + 1, **back_rates)
    line = Line(noise=noise, back_noise=back, **case.line)
    out_name = os.path.join(folder, "got")
    out = open(out_name, "wb")
    state = {"sender": None}

    def send(extra=()):
        state["sender"] = line.sender(
            SENDERS[case.sender] + list(extra) + names)

    if case.first:
        send()
        line.run(lambda: False, 0.15)
    started = time.monotonic()
    got = subprocess.Popen(
        [receiver, line.receiver_tty(), case.protocol] + case.options,
        stdout=out, stderr=subprocess.PIPE)
    if not case.first:
        line.run(lambda: False, 0.1)
        send()
    events = []
    if case.event:
        at, how = case.event

        def arrived():
            return os.path.getsize(out_name) >= at

        def act():
            stop(state["sender"])
            if how == "cancel":  # lrzsz flushes its own away on its way out
                os.write(line.ends[0][1], b"\x18" * 10 + b"\b" * 10)
            if how == "restart":
                send(["-r"])
            if how == "pull":  # the cable, with the sender
                line.forth.cut = line.back.cut = True
                again = time.monotonic() + 4
                events.append((lambda: time.monotonic() > again, plug))

        def plug():
            line.forth.cut = line.back.cut = False
            send(["-r"])

        events.append((arrived, act))
    over = {"at": None}

    def done():
        # a list of events may grow: run() has a copy
        for event in list(events):
            if event[0]():
                events.remove(event)
                event[1]()
        if got.poll() is None:
            return False
        if over["at"] is None:
            over["at"] = time.monotonic()
        return state["sender"].poll() is not None or \
            time.monotonic() > over["at"] + 3
    took = line.run(done, case.limit)
    sender_rc = state["sender"].poll()
    stop(state["sender"])
    if got.poll() is None:
        got.kill()
    said = got.stderr.read().decode(errors="replace").strip()
    got.wait()
    out.close()
    with open(out_name, "rb") as file:
        arrived_data = file.read()
    lost = line.forth.lost
    line.close()
    match = re.search(r" ms=\d+ ([a-z-]+)", said)
    reason = match.group(1) if match else "crashed"
    whole = arrived_data == data or (
        case.sender.startswith("sx") and arrived_data[:case.size] == data
        and not arrived_data[case.size:].strip(b"\x1a")
        and len(arrived_data) - case.size < 1024)
    fault = None
    if took is None:
        fault = "not over after %d s" % case.limit
    elif reason == "crashed":
        fault = "no reason"
    elif reason == "ok" and not whole:
        fault = "%d bytes, and not the right ones" % len(arrived_data)
    elif reason != "ok" and not data.startswith(
            arrived_data[:case.size]):
        fault = "wrong bytes before it failed"
    elif case.what not in ("any", reason):
        fault = "ended with %s" % reason
    elif case.sender_ends == "well" and sender_rc != 0:
        fault = "the sender ended with %s" % sender_rc
    elif case.sender_ends == "badly" and sender_rc in (0, None):
        fault = "the sender ended with %s" % sender_rc
    elif case.lossless and lost:
        fault = "%d bytes lost" % lost
    return (case.name, fault, reason, time.monotonic() - started, said)


def noisy(i, seed, sizes, levels=(0.0001, 0.0003, 0.001, 0.003)):
    """A transfer through noise, all that it is from its number."""
    rand = random.Random(seed * 100003 + i)
    kind = list(SENDERS)[i % len(SENDERS)]
    size = rand.choice(sizes)
    level = rand.choice(levels)
    rates = {}
    for what in rand.sample(["flip", "drop", "insert", "burst"],
                            rand.randint(1, 4)):
        rates[what] = level / (20 if what == "burst" else 2)
    back = {k: v / 2 for k, v in rates.items()} if rand.random() < 0.5 else {}
    return Case("noise %d: %s, %d bytes, %s%s" % (
        i, kind, size, rates, ", both ways" if back else ""),
        kind, size, "any", noise=(seed + 2 * i, rates, back),
        content=rand.choice(["random", "escapes", "zeros"]),
        first=rand.random() < 0.3, line={"rate": rand.choice(
            [5760, 11520, 46080])}, limit=900)


def cases():
    sizes = (1, 127, 128, 129, 896, 1023, 1024, 1025, 100000)
    i = 0
    for kind in SENDERS:
        for size in sizes + (() if kind.startswith("sx") else (0,)):
            i += 1
            yield Case("%s, %d bytes" % (kind, size), kind, size,
                       first=i % 2 == 0, sender_ends="well",
                       content=("random", "escapes", "zeros")[i % 3])
    for kind, protocol in (("sx", "xmodem"), ("sb", "ymodem"),
                           ("sz", "zmodem")):
        for first in (False, True):
            yield Case("%s asked for" % protocol, kind, 5000,
                       protocol=protocol, first=first, sender_ends="well")
    yield Case("ymodem-g", "sb-k", 100000, protocol="ymodem-g",
               sender_ends="well")
    # asked for: a sender that starts slowly finds a C, and takes YMODEM
    yield Case("sz, three files", "sz", 3000, batch=3, sender_ends="well",
               protocol="zmodem")
    yield Case("sb, two files", "sb", 3000, batch=2)
    for kind in ("sz", "sb", "sx"):
        yield Case("%s cancels" % kind, kind, 60000, "sender-cancelled",
                   line={"rate": 20000}, event=(9000, "cancel"), limit=8)
        yield Case("%s, receiver gives up" % kind, kind, 60000, "cancelled",
                   line={"rate": 20000}, options=["stop=9000"],
                   sender_ends="badly", limit=15)
    yield Case("sz killed and started again", "sz", 60000,
               line={"rate": 20000}, event=(20000, "restart"),
               sender_ends="well", protocol="zmodem")
    yield Case("cable pulled, sz started again", "sz", 60000,
               line={"rate": 20000}, event=(20000, "pull"),
               sender_ends="well", protocol="zmodem")
    pauses = ["pause=1000,15000"]
    yield Case("slow reader, nobody holds back: window", "sz", 30000,
               line={"rate": 11520, "overrun": "drop"},
                   options=pauses + ["window=2048"])
    yield Case("slow reader, XON/XOFF", "sz", 30000,
               line={"rate": 11520, "overrun": "xoff"},
               options=pauses, lossless=True)
    yield Case("slow reader, bytes are lost", "sz", 30000,
               line={"rate": 11520, "overrun": "drop"}, options=pauses)
    yield Case("slow reader, sb", "sb-k", 30000,
               line={"rate": 11520, "overrun": "drop"}, options=pauses,
               lossless=True)
    for j in range(14):
        case = noisy(j, 1, (3000, 8000), (0.0001, 0.0003))
        case.limit = 60
        yield case


def silent_end():
    """Senders that are killed and never come back, which takes STALL."""
    for kind in SENDERS:
        yield Case("%s killed for good" % kind, kind, 60000, "timeout",
                   line={"rate": 20000}, event=(9000, "kill"),
                   limit=BOUND + 10)


def main():
    receiver, work = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    todo = list(cases())
    if count:
        seed = int(os.environ.get("SEED", "20"))
        todo = list(silent_end()) + [
            noisy(j, seed, (1000, 5000, 20000, 60000)) for j in range(count)]
    else:
        todo = [c for c in todo if c.limit < BOUND]
    # the longest first
    order = sorted(range(len(todo)), key=lambda k: -todo[k].limit)
    jobs = [(k, todo[k], receiver, work) for k in order]
    passed = failed = 0
    became = {}
    longest = 0.0
    with multiprocessing.Pool(WORKERS) as pool:
        for name, fault, reason, took, said in pool.imap_unordered(run, jobs):
            became[reason] = became.get(reason, 0) + 1
            longest = max(longest, took)
            if fault:
                failed += 1
                print("FAILED %s: %s\n  %s" % (name, fault, said), flush=True)
            else:
                passed += 1
            if os.environ.get("VERBOSE"):
                print("%5.1f s %s: %s" % (took, name, said), flush=True)
    if count:
        print(", ".join("%s: %d" % item for item in sorted(became.items())))
        print("longest: %.0f s" % longest)
    print("modem: %d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
