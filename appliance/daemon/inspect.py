"""`schoolgate inspect`: one inspect worker. The only process that opens the authority's key."""

import asyncio
import json
import ssl
from pathlib import Path

import certifi

from appliance import control
from appliance.ca import open_or_make
from appliance.clock import now
from appliance.daemon.process import Arguments, Life, allow_many_files, main
from appliance.errors import ConfigError
from appliance.files import write_atomic
from appliance.gate import Gate
from appliance.listeners import inspect
from appliance.listeners.inspect import Translator
from appliance.listeners.inspected import Inspected
from appliance.listeners.trust import Learner
from appliance.notice.pages import Pages
from appliance.sink import DatagramSink
from appliance.snapshot import Keeper
from appliance.tables import read_confidential


async def serve(arguments: Arguments) -> None:
    """The process."""
    allow_many_files()
    paths = arguments.paths
    keeper = Keeper(paths)
    config = keeper.snapshot.config
    sink = DatagramSink(paths.run)
    gate = Gate(lambda: keeper.snapshot, sink)
    authority = open_or_make(paths.state, read_confidential(), now())
    mouth = control.sender()
    seen: list[Translator] = []

    def tell_gates(message: control.Message) -> None:
        for ear in paths.run.glob("gate-*.sock"):
            control.send(mouth, ear, json.dumps(message).encode())

    def hear(message: control.Message) -> control.Message | None:
        if message != {"ask": "status"}:
            return None
        return {
            "connections": seen[0].connections if seen else 0,
            "blocked": dict(gate.blocked),
            "failures": gate.failures,
            "dropped": sink.dropped,
        }

    def pages() -> Pages:
        return Pages(keeper.snapshot.config.language, keeper.snapshot.helpline)

    life = Life(arguments, hear, keeper.refresh)
    masters: list[inspect.Running] = []
    serving = asyncio.Event()

    def started(master: inspect.Running, translator: Translator) -> None:
        masters.append(master)
        seen.append(translator)
        serving.set()

    lane = asyncio.ensure_future(
        inspect.run(
            paths.run / f"inspect-{arguments.number}.sock",
            authority,
            Inspected(gate, pages, Learner(paths.state / "trust.json"), tell_gates),
            upstream_authorities(paths.state, config.upstream_ca),
            config.connect_seconds,
            started,
        )
    )
    begun = asyncio.ensure_future(serving.wait())
    await asyncio.wait({lane, begun}, return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    if masters:
        living = asyncio.ensure_future(life.run())
        await asyncio.wait({lane, living}, return_when=asyncio.FIRST_COMPLETED)
        masters[0].shutdown()
        life.stop.set()
        await living
    await lane
    sink.close()
    mouth.close()


def upstream_authorities(state: Path, further: str) -> Path:
    """A file with the authorities that servers are verified by: those that browsers trust, and what is in the file
    `further`, where one is named. Raises ConfigError where that cannot be used."""
    public = Path(certifi.where())
    if not further:
        return public
    try:
        ssl.create_default_context(cafile=further)
        own = Path(further).read_bytes()
    except OSError as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        hint = "Set [inspect] upstream_ca to a certificate in PEM, or leave it out."
        raise ConfigError(f"{further}: cannot be used ({why})", hint) from error
    both = state / "ca" / "upstream.pem"
    write_atomic(both, public.read_bytes() + b"\n" + own)
    return both


if __name__ == "__main__":
    main(serve)
