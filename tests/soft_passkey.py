"""A passkey made of software: it signs as one in a phone does, and as wrongly as a test wants."""

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED = AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV


class SoftPasskey:
    def __init__(self, host: str = "testserver", origin: str = "http://testserver") -> None:
        self.host, self.origin = host, origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0
        self.flags = PRESENT | VERIFIED

    def make(self, options: dict[str, Any]) -> str:
        """What a browser sends when it has made this passkey."""
        public = options["publicKey"]
        signed = self._data(self.flags | AuthenticatorData.FLAG.AT, self.credential)
        attestation = AttestationObject.create("none", AuthenticatorData(signed), {})
        response = {"attestationObject": websafe_encode(bytes(attestation))}
        return self._answer("webauthn.create", public["challenge"], response)

    def use(self, options: dict[str, Any]) -> str:
        """What a browser sends when this passkey has signed."""
        self.count += 1
        client = self._client_data("webauthn.get", options["publicKey"]["challenge"])
        signed = self._data(self.flags)
        signature = self.key.sign(signed + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {"authenticatorData": websafe_encode(signed), "signature": websafe_encode(signature)}
        return self._answer("webauthn.get", options["publicKey"]["challenge"], response)

    def _data(self, flags: int, credential: bytes = b"") -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4) + credential

    def _client_data(self, kind: str, challenge: str) -> bytes:
        facts = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(facts).encode()

    def _answer(self, kind: str, challenge: str, response: dict[str, str]) -> str:
        client = websafe_encode(self._client_data(kind, challenge))
        identity = websafe_encode(self.id)
        return json.dumps(
            {
                "id": identity,
                "rawId": identity,
                "type": "public-key",
                "response": {"clientDataJSON": client, **response},
            }
        )

    @property
    def credential_id(self) -> str:
        return websafe_encode(self.id)

    @property
    def credential(self) -> bytes:
        """What is kept of it."""
        key = ES256.from_cryptography_key(self.key.public_key())
        return bytes(AttestedCredentialData.create(Aaguid.NONE, self.id, key))
