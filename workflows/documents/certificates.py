"""Keys that sign documents: read from files, or made for development and demonstration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from workflows.documents import sm2
from workflows.documents.errors import SigningError
from workflows.documents.sm2 import Sm2Key

# An untyped package.
_Certificate: Any = asn1.Certificate
_PublicKey: Any = asn1.PublicKeyInfo

#: Common name of the development certificate: anyone who opens a demonstration PDF reads it.
DEVELOPMENT_NAME = "稳岗通演示证书（仅供演示，无法律效力）"
#: By set of algorithms, see :mod:`workflows.base.suites`: going over to 国密 makes another pair.
DEVELOPMENT_FILES = {"standard": "development-signer.p12", "gm": "development-signer-sm2.p12"}

#: From long before any pinned clock of a scenario until long after.
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)

_PROOF = "稳岗通".encode()


@dataclass(frozen=True)
class KeyPair:
    """A key, the certificate that belongs to it, and the certificates that lead from there to an authority."""

    key: PrivateKeyTypes | Sm2Key
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def make_development_certificate(folder: Path, crypto: str = "standard") -> Path:
    """Make a self-signed certificate and its key once; a second call finds the first one's.

    :param crypto: ``standard``: RSA 3072; ``gm``: SM2.
    :returns: the PKCS#12 file, readable by its owner only, without a password.
    """
    target = folder / DEVELOPMENT_FILES[crypto]
    if target.exists():
        return target
    pair = _development_pair() if crypto == "standard" else _development_sm2_pair()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{target.name}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pair)
    # Web and worker may both be first: os.link refuses to replace, so one pair wins and both use it.
    try:
        os.link(draft, target)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return target


def _development_pair() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return pkcs12.serialize_key_and_certificates(
        b"wengang", key, _development_certificate(key), None, NoEncryption()
    )


def _development_sm2_pair() -> bytes:
    key = sm2.new_key()
    drawn = _development_certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    # No builder knows SM2: the same certificate with another key in it, signed by that key.
    certificate = _Certificate.load(drawn.public_bytes(Encoding.DER))
    algorithm = {"algorithm": sm2.SM2_WITH_SM3}
    body = certificate["tbs_certificate"]
    body["subject_public_key_info"] = _PublicKey.load(key.public())
    body["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    certificate["signature_value"] = key.sign(body.dump(force=True))
    pem = x509.load_der_x509_certificate(certificate.dump(force=True)).public_bytes(Encoding.PEM)
    return sm2.make_pkcs12(key, pem)


def _development_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT_NAME)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def read_pkcs12(file: Path, password: str = "") -> KeyPair:
    """Key, certificate and chain of a PKCS#12 file.

    :raises SigningError: the file or the password is wrong, or the key does not fit the certificate.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SigningError("签名证书文件读不出来，请检查文件位置和权限。", type(error).__name__) from error
    try:
        pair = pkcs12.load_pkcs12(content, password.encode() or None)
    except UnsupportedAlgorithm:
        key, certificates = sm2.read_pkcs12(content, password)
        return _fitting(key, [x509.load_pem_x509_certificate(one) for one in certificates])
    except ValueError as error:
        raise SigningError("签名证书文件打不开，请检查口令和文件格式。", type(error).__name__) from error
    if pair.key is None or pair.cert is None:
        raise SigningError("签名证书文件里缺少私钥或者证书，请使用含私钥的证书文件。")
    return _fitting(pair.key, [pair.cert.certificate, *(one.certificate for one in pair.additional_certs)])


def read_pem(certificate: Path, key: Path, password: str = "") -> KeyPair:
    """The same from PEM files: the signer's certificate and its chain in one, the key in another.

    :raises SigningError: a file or the password is wrong, or the key does not fit the certificate.
    """
    try:
        certificates = x509.load_pem_x509_certificates(certificate.read_bytes())
        content = key.read_bytes()
    except OSError as error:
        raise SigningError("签名证书文件读不出来，请检查文件位置和权限。", type(error).__name__) from error
    except ValueError as error:
        raise SigningError("签名证书文件打不开，请检查口令和文件格式。", type(error).__name__) from error
    secret: PrivateKeyTypes | Sm2Key
    try:
        secret = load_pem_private_key(content, password.encode() or None)
    except UnsupportedAlgorithm:
        secret = sm2.read_key(content, password)
    except (ValueError, TypeError) as error:
        raise SigningError("签名证书文件打不开，请检查口令和文件格式。", type(error).__name__) from error
    return _fitting(secret, certificates)


def _fitting(key: PrivateKeyTypes | Sm2Key, certificates: list[x509.Certificate]) -> KeyPair:
    """The pair with the certificate that belongs to the key; a PKCS#12 file may name an authority's before it."""
    ours = [one for one in certificates if _belongs(one, key)]
    if not ours:
        raise SigningError("签名私钥与证书不是一对，请检查证书配置。")
    return KeyPair(key, ours[0], tuple(one for one in certificates if one is not ours[0]))


def _belongs(certificate: x509.Certificate, key: PrivateKeyTypes | Sm2Key) -> bool:
    """Whether what the key signs holds under the certificate: keys are written down in more than one way."""
    if isinstance(key, Sm2Key):
        public = _Certificate.load(certificate.public_bytes(Encoding.DER)).public_key.dump()
        return sm2.holds(public, _PROOF, key.sign(_PROOF))
    try:
        return certificate.public_key() == key.public_key()
    except UnsupportedAlgorithm:  # an authority's, of another kind
        return False
