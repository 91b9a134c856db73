# SPDX-License-Identifier: GPL-3.0-or-later
"""A device's key, as docs/protocol/client-api.md has it: by libsodium, where the agent has OpenSSL."""

import ctypes
import os

SODIUM = ctypes.CDLL("libsodium.so.23")


class DeviceKey:
    def __init__(self):
        self.public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        SODIUM.crypto_sign_seed_keypair(self.public, self.secret, os.urandom(32))

    def prove(self, purpose: str, challenge: str, pin: str, subject: str) -> dict:
        text = "\n".join(["slipway-proof-1", purpose, challenge, pin, subject]).encode()
        signature = ctypes.create_string_buffer(64)
        SODIUM.crypto_sign_detached(signature, None, text, ctypes.c_ulonglong(len(text)), self.secret)
        return {"public": self.public.raw.hex(), "challenge": challenge, "signature": signature.raw.hex()}
