"""What a whole box weighs at rest, with all names loaded and one inspect worker: memory, process by process.

PSS counts a page that several processes share in parts, so that the sum is what the box really takes; the rule set is
mapped by every process and told by itself. The list was imported by the command, whose own cost is told as well.
"""

import time

from rig.box import start_box
from rig.processes import DidNotStart, mapped_pss, pss
from rig.report import Findings, Row, Table, number
from rig.setting import FULL_NAMES, Setting

REST_SECONDS, QUICK_REST_SECONDS = 20.0, 4.0
MAPPING = "rules.set"


def measure(setting: Setting) -> Findings:
    """The import, then the box at rest."""
    try:
        origin, prepared = setting.origin(), setting.prepared()
        folder = setting.subfolder("memory")
        box = start_box(folder, prepared, origin, workers=1)
    except (LookupError, DidNotStart, OSError) as error:
        return Findings(left_out=[f"memory: {error}"])
    try:
        setting.say("memory: at rest")
        time.sleep(QUICK_REST_SECONDS if setting.quick else REST_SECONDS)
        parts = {name: (pss([pid]), mapped_pss(pid, MAPPING)) for name, pid in sorted(box.parts().items())}
    finally:
        box.stop()
    full = setting.count == FULL_NAMES
    seconds, peak = setting.imported
    rows = [
        Row("rules: imported by the command", seconds, "s", 60.0 if full else None, note=f"{setting.count:,} names")
    ]
    rows.append(Row("rules: imported by the command, peak", peak, "MiB", 256.0 if full else None))
    gates = [total - mapping for name, (total, mapping) in parts.items() if name.startswith("gate-")]
    rows.append(Row("memory: a gate at rest, beside the mapping", max(gates), "MiB", 60.0))
    whole = sum(total for total, _ in parts.values())
    rows.append(Row("memory: the whole box at rest", whole, "MiB", 256.0, note=f"{len(parts)} processes"))
    told = [[name, number(total), number(total - mapping), ""] for name, (total, mapping) in parts.items()]
    title = f"Memory of a box at rest, {setting.count:,} names"
    return Findings(rows, [Table(title, ["process", "MiB", "beside the rule set", ""], told)])
