"""`schoolgate inspect`: one inspect worker. The only process that opens the authority's key."""

import asyncio
import json

from appliance import control
from appliance.ca import open_or_make
from appliance.clock import now
from appliance.daemon.process import Arguments, Life, allow_many_files, main
from appliance.gate import Gate
from appliance.listeners import inspect
from appliance.listeners.inspect import Translator
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

    def started(master: inspect.Running, translator: Translator) -> None:
        masters.append(master)
        seen.append(translator)

    lane = asyncio.ensure_future(
        inspect.run(
            paths.run / f"inspect-{arguments.number}.sock",
            gate,
            authority,
            pages,
            Learner(paths.state / "trust.json"),
            tell_gates,
            keeper.snapshot.config.upstream_ca,
            started,
        )
    )
    living = asyncio.ensure_future(life.run())
    await asyncio.wait({lane, living}, return_when=asyncio.FIRST_COMPLETED)
    for master in masters:
        master.shutdown()
    life.stop.set()
    await asyncio.gather(lane, living)
    sink.close()
    mouth.close()


if __name__ == "__main__":
    main(serve)
