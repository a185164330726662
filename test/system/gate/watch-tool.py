"""watch-tool.py PREFIX PATTERN BEGINS PASSES LIMIT TOOL…: runs a tool until it has printed a line that matches PATTERN, until it
ends by itself, or until the number in the file PASSES has grown by LIMIT since the tool has attached its programs.

A tool that prints PATTERN only at its end is interrupted 3 passes after a line that matches BEGINS, which is empty for other
tools. PREFIX.out and PREFIX.err get what the tool prints. PREFIX.end gets `shown`, `silent` if it was interrupted without
PATTERN, or the exit status; PREFIX.line the line that matches.
"""

import os
import re
import select
import signal
import subprocess
import sys

prefix, pattern, begins, passes, limit = sys.argv[1:6]
# in seconds, how long a tool may take to end once it is interrupted: it looks up the names of functions then
PATIENCE = 120
ATTACHED = ("anon_inode:bpf_link", "anon_inode:bpf-raw-tracepoint", "anon_inode:[perf_event]")


def passed():
    with open(passes) as file:
        return int(file.read())


class Tool:
    def __init__(self, words):
        self.out = open(f"{prefix}.out", "wb")
        with open(f"{prefix}.err", "wb") as err:
            self.process = subprocess.Popen(
                ["stdbuf", "-oL", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err
            )
        self.rest = b""
        self.line = None
        self.has_begun = False
        self.is_open = True

    def read(self):
        """Reads what the tool prints within a moment."""
        pipe = self.process.stdout
        if not select.select([pipe], [], [], 0.2)[0]:
            return
        chunk = os.read(pipe.fileno(), 1 << 16)
        self.is_open = chunk != b""
        self.out.write(chunk)
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines if self.is_open else [*lines, self.rest]:
            text = line.decode("latin1")
            if self.line is None and re.search(pattern, text):
                self.line = text
            self.has_begun = self.has_begun or (begins != "" and re.search(begins, text) is not None)

    def attached(self):
        """The number of programs that it has attached."""
        folder = f"/proc/{self.process.pid}/fd"
        count = 0
        try:
            for fd in os.listdir(folder):
                try:
                    count += os.readlink(os.path.join(folder, fd)) in ATTACHED
                except OSError:
                    pass  # it was closed meanwhile
        except OSError:
            pass  # the tool has ended
        return count

    def watch(self):
        attached, last = 0, None
        while self.line is None and self.is_open and (last is None or passed() < last):
            self.read()
            if begins != "":
                if self.has_begun and last is None:
                    last = passed() + 3
                continue
            now = self.attached()
            if now != attached:
                attached, last = now, passed() + int(limit)

    def end(self):
        """Ends the tool. Returns what came of it."""
        has_ended = not self.is_open
        if not has_ended:
            self.process.send_signal(signal.SIGINT)
            for _ in range(PATIENCE * 5):
                if self.line is not None or not self.is_open:
                    break
                self.read()
        if self.is_open:
            self.process.kill()
        status = self.process.wait()
        self.out.close()
        if self.line is not None:
            return "shown"
        return str(status) if has_ended else "silent"


tool = Tool(sys.argv[6:])
tool.watch()
end = tool.end()
with open(f"{prefix}.line", "w", encoding="latin1") as file:
    file.write(tool.line or "")
with open(f"{prefix}.end", "w") as file:
    file.write(end)
