"""The hash of the journal: that of hashlib, without the OpenSSL that hashlib loads besides."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # another Python than CPython
    from hashlib import blake2b

__all__ = ["blake2b"]
