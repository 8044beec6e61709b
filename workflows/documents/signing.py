"""Electronic signatures of PDFs: PAdES baseline B by pyHanko, and the place where another seal can be plugged in."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko import keys as pyhanko_keys
from pyhanko.pdf_utils.generic import ByteStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_cms import Signer as CmsSigner
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator import registry as pyhanko_registry

from workflows.documents import guomi
from workflows.documents.certificates import KeyPair, make_development_certificate, read_pem, read_pkcs12
from workflows.documents.errors import SigningError
from workflows.documents.sm2 import Sm2Key

# An untrusted certificate is an ordinary answer here, not a trace for the log.
logging.getLogger("pyhanko.sign.validation").setLevel(logging.CRITICAL)

# Typed packages with untyped functions.
_keys: Any = pyhanko_keys
_registry: Any = pyhanko_registry

FIELD = "Signature1"
#: Room for the CMS container in bytes: an RSA-4096 signature with a chain of four certificates takes about 9 000.
_RESERVED = 16_384


class Signer(Protocol):
    """Who signs. A smart card or a seal service is another class with these two."""

    @property
    def name(self) -> str:
        """As the certificate names the signer."""
        ...

    def sign_pdf(self, pdf: bytes, reason: str, location: str, when: datetime) -> bytes:
        """The PDF with a signature appended; the bytes before it stay as they were."""
        ...


class PadesSigner:
    """A key in a file, RSA, EC or SM2, signing PAdES baseline B (no time stamp server, no network).

    An SM2 key signs with SM3 (GB/T 32918), the others with SHA-256.
    """

    def __init__(self, pair: KeyPair) -> None:
        names = pair.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        self._name = str(names[0].value) if names else pair.certificate.subject.rfc4514_string()
        #: The signer's certificate in PEM, to be trusted by :func:`verify`.
        self.certificate: bytes = pair.certificate.public_bytes(Encoding.PEM)
        chain = _registry.SimpleCertificateStore()
        for further in pair.chain:
            chain.register(_certificate(further.public_bytes(Encoding.PEM)))
        self._way = _way(pair.key)
        self._signer = _KeySigner(
            signing_cert=_certificate(self.certificate),
            cert_registry=chain,
            signature_mechanism=self._way.mechanism,
        )
        self._signer.raw = self._way.raw

    @classmethod
    def from_pkcs12(cls, file: Path, password: str = "") -> PadesSigner:
        """:raises SigningError: see :func:`workflows.documents.certificates.read_pkcs12`."""
        return cls(read_pkcs12(file, password))

    @classmethod
    def from_pem(cls, certificate: Path, key: Path, password: str = "") -> PadesSigner:
        """:raises SigningError: see :func:`workflows.documents.certificates.read_pem`."""
        return cls(read_pem(certificate, key, password))

    @property
    def name(self) -> str:
        """The certificate's common name."""
        return self._name

    def sign_pdf(self, pdf: bytes, reason: str, location: str, when: datetime) -> bytes:
        """See :class:`Signer`. With an RSA or EC key the same arguments give the same bytes; SM2 draws a new number each time."""
        return asyncio.run(self._sign(pdf, reason, location, when))

    async def _sign(self, pdf: bytes, reason: str, location: str, when: datetime) -> bytes:
        writer = _SteadyWriter(io.BytesIO(pdf))
        # The second half of the file id is by chance in pyHanko, too.
        change = hashlib.sha256(pdf + when.isoformat().encode()).digest()[:16]
        writer._document_id[1] = ByteStringObject(change)
        metadata = PdfSignatureMetadata(
            field_name=FIELD,
            reason=reason,
            location=location,
            name=self._name,
            subfilter=SigSeedSubFilter.PADES,
            md_algorithm=self._way.digest,
        )
        session = PdfSigner(metadata, self._signer).init_signing_session(writer)
        session.system_time = when
        # The steps of PdfSigner.sign_pdf, without a dry run of the key to estimate what the container will need.
        document = session.prepare_tbs_document(
            validation_info=None, bytes_reserved=_RESERVED, appearance_text_params=None
        )
        prepared, output = document.digest_tbs_document()
        await document.perform_signature(
            document_digest=prepared.document_digest,
            pdf_cms_signed_attrs=PdfCMSSignedAttributes(signing_time=when),
        )
        output.seek(0)
        signed: bytes = output.read()
        return signed


class _KeySigner(CmsSigner):
    """pyHanko's own loads, and with RSA tests, the key for each signature, four fifths of the time; this one keeps it."""

    raw: Callable[[bytes], bytes]

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """See pyHanko. The digest is the one that the key's way names, which is what pyHanko was told."""
        return self.raw(data)


class _SteadyWriter(IncrementalPdfFileWriter):
    """pyHanko would note the machine's time: a paper rendered and signed again after a crash would differ."""

    def _update_meta(self) -> None:
        return None


@dataclass(frozen=True)
class _Way:
    """How a kind of key signs: ``raw`` gives the signature of data; pyHanko finds the mechanism of usual keys itself."""

    raw: Callable[[bytes], bytes]
    digest: str = "sha256"
    mechanism: Any = None


def _way(key: object) -> _Way:
    """RSA PKCS#1 v1.5 and ECDSA (RFC 6979), both without chance; SM2 with SM3."""
    if isinstance(key, RSAPrivateKey):
        return _Way(lambda data: key.sign(data, PKCS1v15(), SHA256()))
    if isinstance(key, EllipticCurvePrivateKey):
        return _Way(lambda data: key.sign(data, ECDSA(SHA256(), deterministic_signing=True)))
    if isinstance(key, Sm2Key):
        return _Way(key.sign, guomi.DIGEST, guomi.mechanism())
    raise SigningError("签名证书的密钥类型不受支持，请使用 RSA、EC 或者 SM2 密钥的证书。")


def load_signer(file: Path | None, password: str, folder: Path, crypto: str = "standard") -> PadesSigner:
    """The configured signer, or without a file the development one in ``folder``, made when missing.

    :param crypto: the kind of the development key: ``standard`` or ``gm``; a file's key says itself what it is.
    :raises SigningError: the file, its password or its key is wrong.
    """
    if file is None:
        return PadesSigner.from_pkcs12(make_development_certificate(folder, crypto))
    return PadesSigner.from_pkcs12(file, password)


def sign(pdf: bytes, signer: Signer, reason: str, location: str, when: datetime) -> bytes:
    """Sign a PDF.

    :param reason: why, in Chinese, e.g. the document's title.
    :param location: where the office is; may be empty.
    :param when: the instant of the decision, aware.
    :raises ValueError: for a naive ``when``.
    :raises SigningError: the signer failed, or its answer is not this PDF with a signature appended.
    """
    if when.tzinfo is None:
        raise ValueError("signing needs an aware time")
    try:
        signed = signer.sign_pdf(pdf, reason, location, when)
    except SigningError:
        raise
    except (
        Exception
    ) as error:  # keys and seal services fail in their own ways; the paper stays unissued either way
        raise SigningError("文书签名没有成功，请检查签名证书或者印章服务。", type(error).__name__) from error
    if len(signed) <= len(pdf) or not signed.startswith(pdf):
        raise SigningError("签名程序改动了文书内容，文书没有签发。请检查签名证书或者印章服务。")
    return signed


@dataclass(frozen=True)
class SignatureCheck:
    """What the signature of a PDF says.

    :ivar signed: there is a signature at all.
    :ivar intact: what was signed has not been altered.
    :ivar complete: nothing was appended after signing.
    :ivar trusted: the certificate leads to one of the trusted ones and held at ``when``.
    """

    signed: bool = False
    intact: bool = False
    complete: bool = False
    trusted: bool = False
    signer: str = ""
    when: datetime | None = None
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Signed, and exactly as it was when it was signed; see ``trusted`` for by whom."""
        return self.signed and self.intact and self.complete


def verify(pdf: bytes, trusted: Sequence[bytes] = ()) -> SignatureCheck:
    """Check the last signature of a PDF, without any network.

    :param trusted: certificates in PEM: the signers' own, or their authorities'.
    """
    try:
        return _verify(pdf, trusted)
    except (
        Exception
    ):  # an altered file breaks a parser anywhere; each break says the same: not what was signed
        return SignatureCheck(signed=b"/ByteRange" in pdf)


def _verify(pdf: bytes, trusted: Sequence[bytes]) -> SignatureCheck:
    signatures = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
    if not signatures:
        return SignatureCheck()
    signature = signatures[-1]
    when: datetime | None = signature.self_reported_timestamp
    context = ValidationContext(
        trust_roots=[_certificate(one) for one in trusted],
        moment=when,
        allow_fetching=False,
        signature_validator=guomi.SignatureValidator(),
    )
    status = validate_pdf_signature(signature, context)
    return SignatureCheck(
        signed=True,
        intact=bool(status.intact and status.valid),
        complete=status.coverage == SignatureCoverageLevel.ENTIRE_FILE,
        trusted=bool(status.trusted),
        signer=str(status.signing_cert.subject.native.get("common_name", "")),
        when=when,
        reason=str(signature.sig_object.get("/Reason", "")),
    )


def _certificate(pem: bytes) -> Any:
    return next(iter(_keys.load_certs_from_pemder_data(pem)))
