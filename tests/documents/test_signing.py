"""Signatures: the paper as it was, by whom, and every change noticed."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from tests.documents.conftest import MakeTemplate, pages_of
from workflows.documents.certificates import (
    DEVELOPMENT_NAME,
    KeyPair,
    make_development_certificate,
    read_pem,
    read_pkcs12,
)
from workflows.documents.errors import SigningError
from workflows.documents.render import render
from workflows.documents.render_process import RenderProcess
from workflows.documents.signing import PadesSigner, SignatureCheck, load_signer, sign, verify

WHEN = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module", params=["standard", "gm"])
def signer(folder: Path, request: pytest.FixtureRequest) -> PadesSigner:
    """The development signer of each set of algorithms."""
    return load_signer(None, "", folder, request.param)


@pytest.fixture
def paper(press: RenderProcess, make_template: MakeTemplate) -> bytes:
    template = make_template("<p>签名试样</p>")
    return render(template, dict(template.sample), press)


def _county_authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate, x509.Certificate]:
    """A county office's key, its certificate, and the authority that issued it."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "吉林省试验根证书")])
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "梨树县人力资源和社会保障局")])

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey, authority: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(WHEN - timedelta(days=100))
            .not_valid_after(WHEN + timedelta(days=100))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(True, True, False, False, False, authority, authority, False, False),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
            )
            .sign(root_key, hashes.SHA256())
        )

    return key, build(name, key.public_key(), False), build(root_name, root_key.public_key(), True)


def test_a_signed_paper_is_the_paper_and_says_by_whom_and_when(paper: bytes, signer: PadesSigner) -> None:
    signed = sign(paper, signer, "不予认定决定书", "梨树县", WHEN)
    assert signed.startswith(paper)
    assert "签名试样" in pages_of(signed)[0]
    check = verify(signed, [signer.certificate])
    assert check == SignatureCheck(
        signed=True,
        intact=True,
        complete=True,
        trusted=True,
        signer=DEVELOPMENT_NAME,
        when=WHEN,
        reason="不予认定决定书",
    )
    assert check.valid
    assert signer.name == "稳岗通演示证书（仅供演示，无法律效力）"


def test_the_same_paper_signed_at_the_same_instant_is_the_same_file(paper: bytes, folder: Path) -> None:
    """But under SM2, whose random number OpenSSL draws each time."""
    signer = load_signer(None, "", folder)
    first = sign(paper, signer, "通知", "", WHEN)
    assert sign(paper, signer, "通知", "", WHEN) == first
    assert sign(paper, signer, "通知", "", WHEN + timedelta(seconds=1)) != first


def test_an_unknown_signer_is_valid_but_not_trusted(
    paper: bytes, signer: PadesSigner, tmp_path: Path
) -> None:
    stranger = load_signer(None, "", tmp_path)
    check = verify(sign(paper, stranger, "通知", "", WHEN), [signer.certificate])
    assert (check.valid, check.trusted) == (True, False)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_one_changed_bit_breaks_the_signature(paper: bytes, signer: PadesSigner, place: float) -> None:
    signed = bytearray(sign(paper, signer, "通知", "", WHEN))
    signed[int(len(paper) * place)] ^= 1
    check = verify(bytes(signed), [signer.certificate])
    assert check.signed
    assert not check.valid


def test_something_appended_is_noticed(paper: bytes, signer: PadesSigner) -> None:
    check = verify(sign(paper, signer, "通知", "", WHEN) + b"\n%more\n", [signer.certificate])
    assert (check.intact, check.complete, check.valid) == (True, False, False)


def test_an_unsigned_paper_and_what_is_no_paper_have_no_signature(paper: bytes) -> None:
    assert verify(paper) == verify(b"MZ no pdf") == SignatureCheck()
    assert verify(b"%PDF-1.7 /ByteRange") == SignatureCheck(signed=True)
    assert not SignatureCheck().valid


def test_an_elliptic_key_with_a_chain_from_pem_or_pkcs12(paper: bytes, tmp_path: Path) -> None:
    key, certificate, root = _county_authority()
    pem, secret, p12 = tmp_path / "office.crt", tmp_path / "office.key", tmp_path / "office.p12"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM))
    lock = BestAvailableEncryption("口令".encode())
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    p12.write_bytes(pkcs12.serialize_key_and_certificates(b"office", key, certificate, [root], lock))
    for office in (PadesSigner.from_pem(pem, secret, "口令"), load_signer(p12, "口令", tmp_path)):
        signed = sign(paper, office, "通知", "梨树县", WHEN)
        assert sign(paper, office, "通知", "梨树县", WHEN) == signed
        check = verify(signed, [root.public_bytes(Encoding.PEM)])
        assert (check.valid, check.trusted) == (True, True)
        assert office.name == "O=梨树县人力资源和社会保障局"
    for wrong in ("", "别的"):
        with pytest.raises(SigningError, match="口令"):
            read_pkcs12(p12, wrong)
        with pytest.raises(SigningError, match="口令"):
            read_pem(pem, secret, wrong)


def test_files_that_are_missing_or_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    key, certificate, root = _county_authority()
    with pytest.raises(SigningError, match="读不出来"):
        read_pkcs12(tmp_path / "none.p12")
    with pytest.raises(SigningError, match="读不出来"):
        read_pem(tmp_path / "none.crt", tmp_path / "none.key")
    wrong = tmp_path / "wrong.key"
    wrong.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    other = tmp_path / "other.crt"
    other.write_bytes(root.public_bytes(Encoding.PEM))
    with pytest.raises(SigningError, match="不是一对"):
        read_pem(other, wrong)
    empty = tmp_path / "empty.p12"
    empty.write_bytes(pkcs12.serialize_key_and_certificates(b"x", None, None, [certificate], NoEncryption()))
    with pytest.raises(SigningError, match="缺少私钥"):
        read_pkcs12(empty)


def test_a_kind_of_key_we_cannot_sign_with_is_said_at_the_start() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "某局")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(WHEN)
        .not_valid_after(WHEN)
        .sign(key, None)
    )
    with pytest.raises(SigningError, match="RSA、EC 或者 SM2"):
        PadesSigner(KeyPair(key, certificate))


def test_the_development_key_is_made_once_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_development_certificate(tmp_path / "data")
    content = first.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert make_development_certificate(tmp_path / "data").read_bytes() == content
    # The web was faster by a hair: its pair stands, ours is thrown away.
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != first and exists(path))
    assert make_development_certificate(tmp_path / "data").read_bytes() == content
    assert [file.name for file in first.parent.iterdir()] == [first.name]


class Seal:
    """A seal service as another house would plug it in."""

    name = "电子印章服务"

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer

    def sign_pdf(self, pdf: bytes, reason: str, location: str, when: datetime) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_seal_service_may_append_but_not_alter() -> None:
    assert sign(b"%PDF", Seal(b"%PDF seal"), "通知", "", WHEN) == b"%PDF seal"
    for altered in (b"%PDF", b"other", b""):
        with pytest.raises(SigningError, match="改动了文书内容"):
            sign(b"%PDF", Seal(altered), "通知", "", WHEN)
    with pytest.raises(SigningError, match="没有成功") as failed:
        sign(b"%PDF", Seal(TimeoutError()), "通知", "", WHEN)
    assert failed.value.detail == "TimeoutError"
    with pytest.raises(SigningError, match="口令"):
        sign(b"%PDF", Seal(SigningError("口令")), "通知", "", WHEN)


def test_signing_needs_to_know_the_time_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        sign(b"%PDF", Seal(b""), "通知", "", WHEN.replace(tzinfo=None))
