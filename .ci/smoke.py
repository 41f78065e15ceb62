"""Starts the box with `make run`, sees that it answers, stops it as Ctrl-C would; then once more from the same state.

Uses the box's own ports, so nothing else may run on 8080 and 8081. Run it with `.venv/bin/python .ci/smoke.py`.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PAGE = "http://127.0.0.1:8081/"
START_SECONDS, STOP_SECONDS = 60, 15
PORTS = (8080, 8081)


def answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def start_and_stop() -> str:
    """What went wrong, or "" when the box started, answered and went away whole."""
    make = subprocess.Popen(["make", "--no-print-directory", "run"], start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (answers(PAGE) and answers(PAGE + "proxy.pac") and listens(PORTS[0])):
            if make.poll() is not None:
                return f"`make run` ended by itself with status {make.returncode}"
            if time.monotonic() > deadline:
                return f"the box did not answer on {PAGE}, {PAGE}proxy.pac and port {PORTS[0]} in {START_SECONDS} s"
            time.sleep(0.2)
        os.killpg(make.pid, signal.SIGINT)  # the terminal sends it to make and to every process of the box
        try:
            make.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return f"the box was still there {STOP_SECONDS} s after Ctrl-C"
        if make.returncode not in (0, -signal.SIGINT):
            return f"make ended with {make.returncode} after Ctrl-C"
        return "a process of the box outlived it" if alive(make.pid) or any(map(listens, PORTS)) else ""
    finally:
        if alive(make.pid):
            os.killpg(make.pid, signal.SIGKILL)


def main() -> int:
    for attempt in ("first", "second"):
        started = time.monotonic()
        trouble = start_and_stop()
        sys.stdout.write(f"{attempt} `make run`: {trouble or 'fine'} ({time.monotonic() - started:.1f} s)\n")
        if trouble:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
