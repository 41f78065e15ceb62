"""The box's own certificate authority: made at the first start, different on every box, used by inspect only.

P-256, because a small box signs with it a dozen times faster than with RSA (facts in docs/benchmarks.md). The
certificate excludes banks, health and government by name constraint (RFC 5280 section 4.2.1.10), so that devices refuse
it there even if the box were taken over. Leaves live for days, not years.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import StateError
from appliance.files import write_atomic

CA_LIFE = timedelta(days=5 * 365)
LEAF_LIFE = timedelta(days=7)
CLOCK_DOUBT = timedelta(days=2)
"""leaves begin this long ago, for devices whose clock is behind"""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate for one host, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """The authority's certificate and key. Opened by inspect workers only; others read the certificate file."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self._key = certificate, key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())

    def leaf(self, host: str, now: datetime) -> Leaf:
        """A certificate for this host (a name or an address), valid around the aware time `now`."""
        name: x509.GeneralName
        try:
            name = x509.IPAddress(ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        common = [x509.NameAttribute(NameOID.COMMON_NAME, host)] if len(host) < 64 else []
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(common))
            .issuer_name(self.certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_DOUBT)
            .not_valid_after(now + LEAF_LIFE)
            .add_extension(x509.SubjectAlternativeName([name]), critical=not common)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                    self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
                ),
                critical=False,
            )
        )
        return Leaf(builder.sign(self._key, hashes.SHA256()), self._leaf_key)


def certificate_path(state: Path) -> Path:
    """The certificate, for everybody."""
    return state / "ca" / "schoolgate-ca.crt"


def open_or_make(state: Path, excluded: list[str], now: datetime) -> Authority:
    """The authority kept in the state folder; a new one where there is none. Raises StateError for a damaged one."""
    certificate, key = certificate_path(state), state / "ca" / "schoolgate-ca.key"
    if not key.exists():
        _make(certificate, key, excluded, now)
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        public = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        hint = "Move the folder away: a new authority is made, and devices must install its certificate again."
        raise StateError(f"{key.parent}: the certificate authority cannot be read", hint) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise StateError(f"{key}: is not a P-256 key", "Move the folder away: a new authority is made.")
    return Authority(public, private)


def _make(certificate: Path, key: Path, excluded: list[str], now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Schoolgate {os.urandom(3).hex()}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Schoolgate on this school's own box"),
        ]
    )
    public = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_DOUBT)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    if excluded:
        subtrees = [x509.DNSName(host) for host in excluded]
        public = public.add_extension(x509.NameConstraints(None, subtrees), critical=True)
    private_bytes = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.parent.mkdir(parents=True, exist_ok=True)
    key.parent.chmod(0o755)
    write_atomic(certificate, public.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)
    write_atomic(key, private_bytes, 0o600)


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
