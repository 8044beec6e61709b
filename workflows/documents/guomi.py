"""SM2 and SM3 made known to pyHanko: their names in ASN.1, and how a signature under SM2 is checked."""

from __future__ import annotations

from typing import Any

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from workflows.documents import sm2

#: As asn1crypto names the OIDs from here on; ``sm3`` is what ``cryptography`` calls the hash, too.
MECHANISM, DIGEST = "sm2_with_sm3", "sm3"


class SignatureValidator(DefaultSignatureValidator):
    """pyHanko's own, for certificates and for papers, and SM2 beside it."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """See pyHanko."""
        if signature_algorithm["algorithm"].native != MECHANISM:
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
        # A hash without Z is no signature of GB/T 32918: what was hashed before comes from elsewhere.
        elif context.prehashed or not sm2.holds(public_key_info.dump(), signed_data, signature):
            raise InvalidSignature


def mechanism() -> Any:
    """The algorithm identifier of SM2 with SM3; it has no parameters (as in certificates, GM/T 0015-2012)."""
    return _algos.SignedDigestAlgorithm({"algorithm": MECHANISM})


def _register(kind: Any, dotted: str, name: str) -> None:
    # asn1crypto has no public way for these two tables; pyHanko adds its names in the same manner.
    kind._map[dotted] = name
    if kind._reverse_map is not None:
        kind._reverse_map[name] = dotted


# Untyped packages.
_algos: Any = algos
_keys: Any = keys
_register(_algos.SignedDigestAlgorithmId, sm2.SM2_WITH_SM3, MECHANISM)
_register(_algos.DigestAlgorithmId, sm2.SM3, DIGEST)
_keys.NamedCurve.register("sm2p256v1", sm2.CURVE, 32)
