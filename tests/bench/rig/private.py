"""A network and a hosts file of a run's own, so that its ports meet nobody else's and its names lead to loopback only.

Needs root, or a kernel that lets people make user namespaces. Without, the run goes on with the name "localhost".
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

NAME = "www.origin.test"
"""the origin's name inside; three labels, as most are"""
_SIOCSIFFLAGS, _IFF_UP_RUNNING = 0x8914, 0x41
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


def enter(folder: Path) -> str:
    """Leave the machine's network for an empty one with loopback alone; returns the name by which the origin is
    reached from now on. Must be called while there is one thread."""
    spaces = os.CLONE_NEWNS | os.CLONE_NEWNET
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(spaces if user == 0 else spaces | os.CLONE_NEWUSER)
        if user:
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
        _raise_loopback()
        hosts = folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {NAME}\n", encoding="ascii")
        _mount(None, "/", _MS_REC | _MS_PRIVATE)
        _mount(hosts, "/etc/hosts", _MS_BIND)
    except OSError:
        return "localhost"
    return NAME


def _raise_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))


def _mount(source: Path | None, target: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(str(source or "none").encode(), target.encode(), None, ctypes.c_ulong(flags), None):
        raise OSError(ctypes.get_errno(), "mount")
