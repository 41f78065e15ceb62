"""`schoolgate recorder`: the one writer of the event store. A plain loop without asyncio, to be small."""

import os
import signal
import sys
import threading

from appliance import control
from appliance.config import read_config
from appliance.daemon.process import Arguments, read_arguments, tell_ready
from appliance.errors import ConfigError
from appliance.snapshot import last_good_paths
from appliance.store.recorder import Recorder


def serve(arguments: Arguments) -> None:
    """The process."""
    paths = arguments.paths
    try:
        config = read_config(paths.config)
    except ConfigError:
        good = last_good_paths(paths)
        config = read_config(good.config, good.folder) if good else read_config(None)
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if os.environ.get("SCHOOLGATE_SUPERVISED"):
        threading.Thread(target=_until_alone, args=[stop], daemon=True).start()
    with control.bind(paths.run / f"{arguments.name}.sock") as bound:
        recorder = Recorder(paths.state, config.retention_days, config.term_days, config.zone)
        tell_ready(arguments)
        recorder.run(bound, stop)


def _until_alone(stop: threading.Event) -> None:
    """Stop when the supervisor is gone: it holds our standard input open."""
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    serve(read_arguments())
