"""SM2: the standard's own figures, an oracle beside OpenSSL, and papers that are signed with it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.documents import sm2_oracle as oracle
from tests.documents.conftest import MakeTemplate
from workflows.documents import sm2
from workflows.documents.certificates import DEVELOPMENT_NAME, make_development_certificate, read_pem
from workflows.documents.errors import SigningError
from workflows.documents.render import render
from workflows.documents.render_process import RenderProcess
from workflows.documents.signing import PadesSigner, load_signer, sign, verify

WHEN = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)
IDENTITY = sm2.IDENTITY.encode()

# GB/T 32918.5-2017, appendix A.2: the signature of "message digest".
PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC = (
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
WHOSE = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
HASHED = 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
CHANCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
MESSAGE = b"message digest"

#: SubjectPublicKeyInfo of a point on the curve, and PKCS#8 of a number, up to where they begin.
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_PKCS8 = bytes.fromhex("3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420")


def info(public: tuple[int, int]) -> bytes:
    return _SPKI + b"".join(number.to_bytes(32, "big") for number in public)


def private_key(number: int) -> sm2.Sm2Key:
    der = _PKCS8 + number.to_bytes(32, "big")
    found = subprocess.run(["openssl", "pkey"], input=der, capture_output=True, check=True)
    return sm2.read_key(found.stdout, "")


def test_the_signature_of_the_standard() -> None:
    assert oracle.times(PRIVATE, oracle.G) == PUBLIC
    assert oracle.whose(PUBLIC, IDENTITY).hex() == WHOSE
    assert oracle.hashed(PUBLIC, IDENTITY, MESSAGE) == HASHED
    assert oracle.signature(PRIVATE, CHANCE, IDENTITY, MESSAGE) == (R, S)
    assert sm2.holds(info(PUBLIC), MESSAGE, oracle.encoded(R, S))
    assert private_key(PRIVATE).public() == info(PUBLIC)
    made = private_key(PRIVATE).sign(MESSAGE)
    assert oracle.holds(PUBLIC, IDENTITY, MESSAGE, *oracle.decoded(made))
    assert sm2.holds(info(PUBLIC), MESSAGE, made)


@settings(max_examples=6)
@given(st.integers(1, oracle.N - 2), st.integers(1, oracle.N - 1), st.binary(max_size=300))
def test_openssl_and_the_text_of_the_standard_agree(private: int, chance: int, data: bytes) -> None:
    public = oracle.times(private, oracle.G)
    assert public is not None
    made = private_key(private).sign(data)
    assert oracle.holds(public, IDENTITY, data, *oracle.decoded(made))
    r, s = oracle.signature(private, chance, IDENTITY, data)
    assert sm2.holds(info(public), data, oracle.encoded(r, s))
    # another name, another text, another key, half a signature
    assert not sm2.holds(
        info(public), data, oracle.encoded(*oracle.signature(private, chance, b"ALICE", data))
    )
    assert not sm2.holds(info(public), data + b".", made)
    assert not sm2.holds(info(PUBLIC), data, made)
    for pair in ((r, s + 1), (s, r), (r, oracle.N - s), (0, s), (r, oracle.N)):
        assert sm2.holds(info(public), data, oracle.encoded(*pair)) == oracle.holds(
            public, IDENTITY, data, *pair
        )


@pytest.mark.parametrize("broken", [b"", b"\x30", b"\x30\x00", bytes(70), bytes(100_000)])
def test_what_is_no_signature_or_no_key_does_not_hold(broken: bytes) -> None:
    assert not sm2.holds(info(PUBLIC), MESSAGE, broken)
    assert not sm2.holds(broken, MESSAGE, oracle.encoded(R, S))


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> PadesSigner:
    return load_signer(None, "", tmp_path_factory.mktemp("keys"), "gm")


@pytest.fixture
def paper(press: RenderProcess, make_template: MakeTemplate) -> bytes:
    template = make_template("<p>国密签名试样</p>")
    return render(template, dict(template.sample), press)


def test_a_paper_names_the_algorithms_as_gm_t_0006_does(paper: bytes, signer: PadesSigner) -> None:
    """What holds of every signer is asked in test_signing."""
    signed = sign(paper, signer, "不予认定决定书", "梨树县", WHEN).lower()
    for oid in (sm2.SM2_WITH_SM3, sm2.SM3):
        assert asn1.ExtensionId(oid).dump()[2:].hex().encode() in signed


def test_each_byte_of_what_was_signed_counts(paper: bytes, signer: PadesSigner) -> None:
    """The signed attributes hold the digest: another signature of the same key does not fit them."""
    first, second = (sign(paper, signer, reason, "", WHEN) for reason in ("准予", "不准"))
    at = first.index(b"/Contents <")
    until = first.index(b">", at)
    swapped = first[:at] + second[at : second.index(b">", at)] + first[until:]
    assert len(swapped) == len(first)
    assert verify(first, [signer.certificate]).valid
    assert not verify(swapped, [signer.certificate]).valid


def test_a_usual_certificate_beside_it(paper: bytes, signer: PadesSigner, tmp_path: Path) -> None:
    usual = load_signer(None, "", tmp_path)
    check = verify(sign(paper, usual, "通知", "", WHEN), [signer.certificate, usual.certificate])
    assert (check.valid, check.trusted) == (True, True)


def _authority(folder: Path) -> tuple[Path, Path]:
    """An office's key and certificate under an authority, by OpenSSL alone: names of files."""
    identity = ["-sm3", "-sigopt", f"distid:{sm2.IDENTITY}"]
    (folder / "office.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\n"
    )
    for name, subject in (("root", "/CN=Jilin Trial Root"), ("office", "/O=Lishu HRSS")):
        _run(folder, "ecparam", "-name", "SM2", "-genkey", "-noout", "-out", f"{name}.key")
        _run(folder, "req", "-new", "-key", f"{name}.key", "-subj", subject, *identity, "-out", f"{name}.csr")
    signing = ["-days", "36500", *identity]
    (folder / "root.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
    _run(folder, "x509", "-req", "-in", "root.csr", "-vfyopt", f"distid:{sm2.IDENTITY}",
         "-signkey", "root.key", "-extfile", "root.ext", "-out", "root.crt", *signing)  # fmt: skip
    _run(folder, "x509", "-req", "-in", "office.csr", "-vfyopt", f"distid:{sm2.IDENTITY}", "-CA", "root.crt",
         "-CAkey", "root.key", "-CAcreateserial", "-extfile", "office.ext", "-out", "office.crt", *signing)  # fmt: skip
    return folder / "office.key", folder / "office.crt"


def _run(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def test_an_office_under_an_authority_from_pem_or_pkcs12(paper: bytes, tmp_path: Path) -> None:
    key, certificate = _authority(tmp_path)
    root = (tmp_path / "root.crt").read_bytes()
    pem, secret = tmp_path / "chain.crt", tmp_path / "locked.key"
    pem.write_bytes(certificate.read_bytes() + root)
    _run(tmp_path, "pkcs8", "-topk8", "-in", str(key), "-v2", "aes-256-cbc",
         "-passout", "pass:口令", "-out", str(secret))  # fmt: skip
    p12 = tmp_path / "office.p12"
    p12.write_bytes(sm2.make_pkcs12(sm2.read_key(key.read_bytes(), ""), pem.read_bytes(), "口令"))
    now = datetime.now(UTC).replace(microsecond=0)
    for office in (PadesSigner.from_pem(pem, secret, "口令"), load_signer(p12, "口令", tmp_path)):
        check = verify(sign(paper, office, "通知", "梨树县", now), [root])
        assert (check.valid, check.trusted) == (True, True)
        assert office.name == "O=Lishu HRSS"
    for wrong in ("", "别的"):
        with pytest.raises(SigningError, match="口令"):
            load_signer(p12, wrong, tmp_path)
        with pytest.raises(SigningError, match="口令"):
            read_pem(pem, secret, wrong)
    # an authority of the same name that is another one
    other = tmp_path / "other"
    other.mkdir()
    _authority(other)
    signed = sign(paper, PadesSigner.from_pem(pem, secret, "口令"), "通知", "", now)
    assert not verify(signed, [(other / "root.crt").read_bytes()]).trusted
    with pytest.raises(SigningError, match="不是一对"):
        read_pem(other / "office.crt", secret, "口令")


@pytest.mark.parametrize(
    "lock", [["-legacy"], ["-keypbe", "SM4-CBC", "-certpbe", "SM4-CBC", "-macalg", "sm3"]]
)
def test_files_locked_in_old_and_in_national_ways_are_opened(tmp_path: Path, lock: list[str]) -> None:
    key, certificate = _authority(tmp_path)
    file = tmp_path / "office.p12"
    _run(tmp_path, "pkcs12", "-export", *lock, "-inkey", str(key), "-in", str(certificate),
         "-passout", "pass:口令", "-out", str(file))  # fmt: skip
    assert load_signer(file, "口令", tmp_path).name == "O=Lishu HRSS"
    with pytest.raises(SigningError, match="口令"):
        load_signer(file, "别的", tmp_path)


def test_a_curve_that_nobody_here_signs_with_is_said_when_the_file_is_read(tmp_path: Path) -> None:
    _run(tmp_path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime239v1", "-nodes",
         "-subj", "/O=Lishu HRSS", "-keyout", "office.key", "-out", "office.crt")  # fmt: skip
    with pytest.raises(SigningError, match="是不是 SM2 证书"):
        read_pem(tmp_path / "office.crt", tmp_path / "office.key")


def test_a_key_written_in_another_way_still_fits_its_certificate(paper: bytes, tmp_path: Path) -> None:
    """A certificate may hold the point compressed, its key not."""
    _run(tmp_path, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "office.key")
    _run(tmp_path, "ec", "-in", "office.key", "-conv_form", "compressed", "-out", "short.key")
    _run(
        tmp_path, "req", "-x509", "-new", "-key", "short.key", "-subj", "/O=Lishu HRSS", "-out", "office.crt"
    )
    office = PadesSigner.from_pem(tmp_path / "office.crt", tmp_path / "office.key")
    now = datetime.now(UTC).replace(microsecond=0)
    assert verify(sign(paper, office, "通知", "", now), [office.certificate]).valid


def test_a_certificate_without_a_key_says_so(tmp_path: Path) -> None:
    _, certificate = _authority(tmp_path)
    bare = tmp_path / "bare.p12"
    _run(
        tmp_path,
        "pkcs12",
        "-export",
        "-nokeys",
        "-in",
        str(certificate),
        "-passout",
        "pass:",
        "-out",
        str(bare),
    )
    with pytest.raises(SigningError, match="缺少私钥"):
        load_signer(bare, "", tmp_path)
    with pytest.raises(SigningError, match="缺少私钥"):
        sm2.read_pkcs12(bare.read_bytes(), "")
    with pytest.raises(SigningError, match="太大"):
        sm2.read_pkcs12(bytes(100_000), "")


def test_a_machine_without_openssl_and_one_that_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = sm2.new_key()
    slow = tmp_path / "openssl"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o700)
    monkeypatch.setattr(sm2, "SECONDS", 0.2)
    monkeypatch.setattr(sm2.shutil, "which", lambda _: str(slow))
    with pytest.raises(SigningError, match="没有按时回答"):
        key.sign(b"x")
    monkeypatch.setattr(sm2.shutil, "which", lambda _: None)
    with pytest.raises(SigningError, match="安装软件包 openssl"):
        make_development_certificate(tmp_path / "data", "gm")
    assert not (tmp_path / "data").exists(), "nothing half made"
    monkeypatch.setattr(sm2.shutil, "which", lambda _: "/bin/false")
    with pytest.raises(SigningError, match="没有成功"):
        key.sign(b"x")


def test_the_development_certificate_is_one_that_openssl_reads(tmp_path: Path) -> None:
    key, [pem] = sm2.read_pkcs12(make_development_certificate(tmp_path, "gm").read_bytes(), "")
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == DEVELOPMENT_NAME
    assert certificate.signature_algorithm_oid.dotted_string == sm2.SM2_WITH_SM3
    assert sm2.holds(key.public(), certificate.tbs_certificate_bytes, certificate.signature)
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-text"],
        input=certificate.public_bytes(Encoding.PEM),
        capture_output=True,
        check=True,
    ).stdout
    assert b"SM2-with-SM3" in told
    assert b"Digital Signature, Non Repudiation" in told
