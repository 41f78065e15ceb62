"""The views: made of verdicts and certificates, and unable to hold what they must not."""

from datetime import UTC, datetime

import pytest
import trustme

from appliance.web.views import Block, BoxView, Certificate, ProcessState, ProcessView, StatusView
from filters.model import Action, Reason, Rule, Verdict

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


def test_a_block_is_what_the_verdict_was() -> None:
    rule = Rule("ut1-adult", 7, "x.example", "2026-08-17")
    verdict = Verdict(Action.BLOCK, Reason.BLOCKED_BY_CATEGORY, "primary", "adult", rule, record=True)
    expected = Block(AT, "x.example", "adult", Reason.BLOCKED_BY_CATEGORY, "ut1-adult", 7, "2026-08-17", "primary")
    assert Block.of(verdict, "x.example", AT) == expected


def test_a_block_without_a_rule() -> None:
    made = Block.of(Verdict(Action.BLOCK, Reason.PAUSED, "staff"), "x.example", AT)
    assert (made.category, made.list, made.line, made.date, made.policy) == (None, "", 0, "", "staff")


def test_certificate_as_its_maker_sees_it() -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    certificate = Certificate.from_pem(pem)
    assert certificate.pem.split() == pem.split()
    assert len(certificate.fingerprint) == 95 and certificate.fingerprint.count(":") == 31


def test_certificate_refuses_a_key() -> None:
    ca = trustme.CA()
    for text in (
        ca.private_key_pem.bytes().decode(),
        ca.private_key_pem.bytes().decode() + ca.cert_pem.bytes().decode(),
        ca.cert_pem.bytes().decode() + ca.private_key_pem.bytes().decode(),
        "",
    ):
        with pytest.raises(ValueError):
            Certificate.from_pem(text)


def test_fingerprint_is_sha256_as_openssl_prints_it(certificate: Certificate) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    digest = x509.load_der_x509_certificate(certificate.der).fingerprint(SHA256())
    assert bytes.fromhex(certificate.fingerprint.replace(":", "")) == digest


@pytest.mark.parametrize(
    ("states", "healthy"),
    [
        ((), False),
        ((ProcessState.RUNNING,), True),
        ((ProcessState.RUNNING, ProcessState.STARTING), False),
        ((ProcessState.STOPPED,), False),
    ],
)
def test_health(states: tuple[ProcessState, ...], healthy: bool) -> None:
    processes = tuple(ProcessView(str(number), state) for number, state in enumerate(states))
    assert StatusView(AT, AT, "1", processes=processes).healthy is healthy


def test_a_box_shows_no_number_unless_told() -> None:
    assert BoxView().helpline is None
