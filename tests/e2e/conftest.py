"""What the end-to-end tests share: one origin for each test process, and boxes."""

import resource
from collections.abc import Iterator

import pytest

from tests.e2e.box import Box
from tests.e2e.origin import Certificates, Origin


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("origin"))


@pytest.fixture(scope="session")
def origin(certificates: Certificates) -> Iterator[Origin]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    serving = Origin(certificates)
    yield serving
    serving.close()


@pytest.fixture(scope="module")
def names() -> dict[str, list[str]]:
    """Names that a module's box knows beside those of tests.e2e.box; for a module to override."""
    return {}


@pytest.fixture(scope="module")
def box(certificates: Certificates, names: dict[str, list[str]]) -> Iterator[Box]:
    """A running box that all tests of a module share."""
    running = Box(certificates.path, names=names)
    try:
        yield running.start()
    finally:
        running.close()
