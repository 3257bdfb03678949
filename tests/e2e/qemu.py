# SPDX-License-Identifier: 0BSD
"""One virtual machine: its console, its monitor, its end.

A Machine never outlives its time limit nor this process, and is ended by its
process id. Standard library only.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time


ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Failed(Exception):
    """What was expected did not come; the text says what was seen."""


def die_with_parent():
    """Linux: the child gets SIGKILL when this process ends, however it does."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Line:
    """when: seconds since the machine was started; waited: for how many of
    them its processor waited for one of the host's."""

    def __init__(self, when, waited, text):
        self.when = when
        self.waited = waited
        self.text = text

    def since(self, first):
        """Seconds from the line first, as an idle host would show them."""
        return max(0.0, self.when - first.when - (self.waited - first.waited))


class Machine:
    """QEMU with args, console lines in the file log, ended after limit s.

    on_line, if given, is called with each complete Line as it comes.
    """

    def __init__(self, args, log, limit=120, on_line=None):
        self.dir = tempfile.mkdtemp(prefix="lifeboat-")
        self.lines = []
        self.position = 0
        self.on_line = on_line
        self.changed = threading.Condition()
        self.closed = False
        self.events = []
        self.log_path = log
        self.log = open(log, "wb")
        path = os.path.join(self.dir, "qmp")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(20)
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            args + ["-qmp", "unix:" + path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        self.timer = threading.Timer(limit, self.kill)
        self.timer.daemon = True
        self.timer.start()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.monitor = listener.accept()[0]
        except OSError:
            self.close()
            raise Failed("QEMU did not start:\n" + self.tail())
        finally:
            listener.close()
        self.monitor.settimeout(20)
        self.pending = b""
        self._message()
        self.qmp("qmp_capabilities")

    def _read(self):
        rest = b""
        stream = self.process.stdout
        while True:
            data = os.read(stream.fileno(), 65536)
            if not data:
                break
            self.log.write(data)
            self.log.flush()
            # A progress line is redrawn with a carriage return.
            parts = re.split(rb"[\r\n]+", rest + data)
            rest = parts.pop()
            for part in parts:
                if part:
                    self._add(part)
            # A prompt has no line end.
            if ESCAPE.sub(b"", rest).endswith((b"# ", b"=> ")):
                self._add(rest)
                rest = b""
        if rest:
            self._add(rest)
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _add(self, raw):
        text = ESCAPE.sub(b"", raw)
        line = Line(self.now(), self._waited(),
                    text.decode("utf-8", "replace").rstrip())
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()
        if self.on_line:
            self.on_line(line)

    def _waited(self):
        """Of the busiest thread: the one that runs the guest."""
        busiest = 0
        waited = 0
        try:
            for task in os.scandir("/proc/%d/task" % self.process.pid):
                with open(task.path + "/schedstat") as f:
                    ran, delayed, _ = map(int, f.read().split())
                if ran > busiest:
                    busiest, waited = ran, delayed
        except OSError:
            pass  # it just ended
        return waited / 1e9

    def now(self):
        return time.monotonic() - self.start

    def tail(self, count=25):
        return "\n".join("    | " + l.text for l in self.lines[-count:])

    def expect(self, pattern, timeout=30, unless=None):
        """The next line that matches, from where the last expect ended.

        A line that matches unless before it is a failure.
        """
        wanted = re.compile(pattern)
        refused = re.compile(unless) if unless else None
        end = time.monotonic() + timeout
        with self.changed:
            while True:
                while self.position < len(self.lines):
                    line = self.lines[self.position]
                    self.position += 1
                    if wanted.search(line.text):
                        return line
                    if refused and refused.search(line.text):
                        raise Failed("unexpected line: %s\n%s" % (
                            line.text, self.tail()))
                left = end - time.monotonic()
                if self.closed or left <= 0:
                    raise Failed("%s: no line matches %r; last lines:\n%s" % (
                        "QEMU ended" if self.closed else
                        "after %d s" % timeout, pattern, self.tail()))
                self.changed.wait(left)

    def absent(self, pattern, seconds):
        """Fails when a line matches within that time."""
        try:
            line = self.expect(pattern, seconds)
        except Failed:
            if self.closed:
                raise
            return
        raise Failed("unexpected line: %s" % line.text)

    def seen(self, pattern):
        """All lines so far that match."""
        wanted = re.compile(pattern)
        with self.changed:
            return [l for l in self.lines if wanted.search(l.text)]

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def _message(self):
        while b"\n" not in self.pending:
            data = self.monitor.recv(65536)
            if not data:
                raise Failed("QEMU's monitor closed")
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def qmp(self, command, **arguments):
        message = {"execute": command}
        if arguments:
            message["arguments"] = {
                k.replace("_", "-"): v for k, v in arguments.items()}
        self.monitor.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._message()
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise Failed("QMP %s: %s" % (command, answer["error"]))
            else:
                return answer["return"]

    def wait_event(self, name, timeout=20):
        end = time.monotonic() + timeout
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise Failed("no %s event within %d s" % (name, timeout))
            self.monitor.settimeout(left)
            try:
                answer = self._message()
            except OSError:
                continue
            finally:
                self.monitor.settimeout(20)
            if "event" in answer:
                self.events.append(answer)

    def plug(self, image, name="stick", bps=0):
        """Hot-plugs a USB stick, read at bps bytes a second at most.

        Machines may share it: nothing writes to a stick.
        """
        file = {"driver": "file", "filename": image, "locking": "off"}
        node = {"driver": "raw", "node-name": name + "-node", "file": file}
        if bps:
            self.qmp("object-add", qom_type="throttle-group",
                     id=name + "-group", limits={"bps-total": bps})
            node = {"driver": "throttle", "node-name": name + "-node",
                    "throttle-group": name + "-group", "file": {
                        "driver": "raw", "file": file}}
        self.qmp("blockdev-add", **node)
        self.qmp("device_add", driver="usb-storage", id=name, bus="xhci.0",
                 drive=name + "-node", removable=True)
        self.throttled = bps

    def unplug(self, name="stick"):
        self.qmp("device_del", id=name)
        self.wait_event("DEVICE_DELETED")
        self.qmp("blockdev-del", node_name=name + "-node")
        if self.throttled:
            self.qmp("object-del", id=name + "-group")

    def wait(self, timeout=30):
        """Until the guest has powered off."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed("still running after %d s:\n%s" % (
                timeout, self.tail()))
        self.reader.join(5)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()

    def close(self):
        self.timer.cancel()
        self.kill()
        self.process.wait()
        self.reader.join(5)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
