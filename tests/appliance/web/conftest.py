"""The sample box and clients of its apps."""

from collections.abc import Iterator

import pytest
import trustme
from starlette.testclient import TestClient

from appliance.notice.help import HelpLine
from appliance.web.views import BoxView, Certificate
from tests.appliance.web.sample_box import Box


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return Certificate.from_pem(trustme.CA().cert_pem.bytes().decode())


@pytest.fixture
def box(certificate: Certificate) -> Box:
    helpline = HelpLine("Child Helpline", "116", "2026-11-20", free=True)
    return Box(BoxView(blocked=("adult", "gambling"), helpline=helpline, certificate=certificate))


@pytest.fixture
def local(box: Box) -> Iterator[TestClient]:
    with TestClient(box.local(), base_url="http://127.0.0.1:8081", client=("127.0.0.1", 40000)) as client:
        yield client


@pytest.fixture
def public(box: Box) -> Iterator[TestClient]:
    with TestClient(box.public(), base_url="http://schoolgate.internal") as client:
        client.headers["X-Schoolgate-Client"] = "10.0.0.9"
        yield client
