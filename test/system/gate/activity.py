"""activity.py FOLDER: does over and over what tools of libbpf-tools report.

FOLDER is on a block device. Its file `passes` has the number of passes that are complete, and `pid` the process id. Mounts
are made in a mount namespace of its own. Tasks are killed for lack of memory only if the root of /sys/fs/cgroup has
controller `memory` enabled for its children.
"""

import ctypes
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[1]
CGROUPS = "/sys/fs/cgroup"
CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = 0x4000 | 0x40000
libc = ctypes.CDLL(None, use_errno=True)


def at(name):
    return os.path.join(FOLDER, name)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def publish(name, text):
    write(at(f"{name}.new"), text)
    os.rename(at(f"{name}.new"), at(name))


def processes():
    subprocess.run(["/bin/true", "event"])
    subprocess.run(["/bin/cat", at("no-such-file")], stderr=subprocess.DEVNULL)


def files():
    with open(at("written"), "wb") as file:
        file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    os.rename(at("written"), at("renamed"))
    with open(at("renamed"), "rb") as file:
        while file.read(1 << 16):
            pass
    os.stat(at("renamed"))
    os.unlink(at("renamed"))


def mounts():
    target = at("mounted").encode()
    os.makedirs(target, exist_ok=True)
    if libc.mount(b"none", target, b"tmpfs", 0, None) == 0:
        libc.umount2(target, 0)


def connections():
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.create_server((host, 0), family=family) as server:
            with socket.create_connection(server.getsockname()[:2]) as client:
                peer, _ = server.accept()
                client.sendall(b"x" * 10_000)
                peer.recv(10_000, socket.MSG_WAITALL)
                peer.close()
    socket.getaddrinfo("localhost", 80)


def signals():
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), 0)


def locks():
    lock = threading.Lock()

    def hold():
        with lock:
            time.sleep(0.002)

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def shell():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv("/bin/bash", ["bash", "--norc", "-i"])
    os.write(fd, b"true event\nexit\n")
    try:
        while os.read(fd, 1000):
            pass
    except OSError:
        pass  # EIO: the shell has ended
    os.close(fd)
    os.waitpid(pid, 0)


def memory():
    try:
        with open(f"{CGROUPS}/cgroup.subtree_control") as file:
            if "memory" not in file.read().split():
                return
    except OSError:
        return
    group = f"{CGROUPS}/activity"
    os.makedirs(group, exist_ok=True)
    write(f"{group}/memory.max", "8M")
    code = f"open('{group}/cgroup.procs', 'w').write('0'); bytearray(1 << 26)"
    subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL)


def main():
    signal.signal(signal.SIGUSR1, lambda *_: None)
    if libc.unshare(CLONE_NEWNS) == 0:
        libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None)
    publish("pid", str(os.getpid()))
    passes = 0
    while True:
        for act in (processes, files, mounts, connections, signals, locks, shell):
            act()
        if passes % 4 == 0:
            memory()
        time.sleep(0.05)
        passes += 1
        publish("passes", str(passes))


main()
