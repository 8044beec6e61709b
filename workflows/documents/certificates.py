"""Keys that sign documents: read from files, or made for development and demonstration."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from workflows.documents.errors import SigningError

#: Common name of the development certificate: anyone who opens a demonstration PDF reads it.
DEVELOPMENT_NAME = "稳岗通演示证书（仅供演示，无法律效力）"
DEVELOPMENT_FILE = "development-signer.p12"

#: From long before any pinned clock of a scenario until long after.
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)

KeyPair = pkcs12.PKCS12KeyAndCertificates


def make_development_certificate(folder: Path) -> Path:
    """Make a self-signed certificate and its key (RSA 3072) once; a second call finds the first one's.

    :returns: the PKCS#12 file, readable by its owner only, without a password.
    """
    target = folder / DEVELOPMENT_FILE
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{DEVELOPMENT_FILE}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_development_pair())
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
    certificate = (
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
    return pkcs12.serialize_key_and_certificates(b"wengang", key, certificate, None, NoEncryption())


def read_pkcs12(file: Path, password: str = "") -> KeyPair:
    """Key, certificate and chain of a PKCS#12 file.

    :raises SigningError: the file or the password is wrong, or the key does not fit the certificate.
    """
    try:
        pair = pkcs12.load_pkcs12(file.read_bytes(), password.encode() or None)
    except OSError as error:
        raise SigningError("签名证书文件读不出来，请检查文件位置和权限。", type(error).__name__) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningError("签名证书文件打不开，请检查口令和文件格式。", type(error).__name__) from error
    if pair.key is None or pair.cert is None:
        raise SigningError("签名证书文件里缺少私钥或者证书，请使用含私钥的证书文件。")
    _check_fit(pair)
    return pair


def read_pem(certificate: Path, key: Path, password: str = "") -> KeyPair:
    """The same from PEM files: the signer's certificate first in its file, then its chain; the key in another.

    :raises SigningError: a file or the password is wrong, or the key does not fit the certificate.
    """
    try:
        first, *chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        secret = load_pem_private_key(key.read_bytes(), password.encode() or None)
    except OSError as error:
        raise SigningError("签名证书文件读不出来，请检查文件位置和权限。", type(error).__name__) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningError("签名证书文件打不开，请检查口令和文件格式。", type(error).__name__) from error
    pair = pkcs12.PKCS12KeyAndCertificates(
        secret,
        pkcs12.PKCS12Certificate(first, None),
        [pkcs12.PKCS12Certificate(one, None) for one in chain],
    )
    _check_fit(pair)
    return pair


def _check_fit(pair: KeyPair) -> None:
    if pair.key is None or pair.cert is None:  # pragma: no cover
        raise AssertionError("both are read before they are compared")
    ours = pair.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if ours != pair.cert.certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ):
        raise SigningError("签名私钥与证书不是一对，请检查证书配置。")
