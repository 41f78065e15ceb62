"""A gigabyte through each lane: it arrives whole, and the memory of the gates and of the inspect worker stays flat."""

import pytest

from tests.e2e.box import GUEST, PRIMARY, Box
from tests.e2e.client import curl, learn_trust
from tests.e2e.origin import Certificates, Origin
from tests.e2e.processes import forget_peak, peak, resident

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-bulk"),
    pytest.mark.needs("curl"),
    pytest.mark.timeout(240),
]

GIGABYTE = 1 << 30
HOST = "www.pages.example"


def download(box: Box, url: str, options: list[str]) -> int:
    """Bytes that came."""
    got = curl(box, *options, "--max-time", "200", "-o", "/dev/null", "-w", "%{size_download}", url)
    assert got.returncode == 0, got.stderr
    return int(got.stdout)


@pytest.mark.parametrize(
    ("lane", "version", "size"),
    [
        ("plain", "--http1.1", GIGABYTE),
        ("splice", "--http1.1", GIGABYTE),
        ("inspect", "--http1.1", GIGABYTE),
        ("inspect", "--http2", GIGABYTE // 4),  # HTTP/2 in Python takes its time, on the origin's side too
    ],
)
def test_a_gigabyte_fills_no_memory(
    box: Box, origin: Origin, certificates: Certificates, lane: str, version: str, size: int
) -> None:
    device = (PRIMARY if lane == "inspect" else GUEST).format(1)
    options = [version, "--interface", device, "--cacert", certificates.path]
    if lane == "inspect":
        learn_trust(box, device)
        options[-1] = str(box.ca)
    url = f"http://{HOST}:{origin.http}/bytes/" if lane == "plain" else f"https://{HOST}:{origin.https}/bytes/"
    used = box.status().used[lane]
    assert download(box, f"{url}{20 << 20}", options) == 20 << 20  # what is needed once is in memory now
    pids = box.pids()
    before = {name: resident(pid) for name, pid in pids.items()}
    for pid in pids.values():
        forget_peak(pid)
    assert download(box, f"{url}{size}", options) == size
    assert box.pids() == pids
    grown = {name: peak(pid) / before[name] for name, pid in pids.items()}
    print(lane, {name: f"{before[name] >> 20} MiB, peak x {ratio:.3f}" for name, ratio in grown.items()})
    assert max(grown.values()) <= 1.1, grown
    assert box.status().used[lane] > used, f"it did not go through the {lane} lane"
