"""Windows' own protection of data for one user, undone for that user.

Source: CryptUnprotectData of crypt32.dll.
"""

import ctypes
from typing import Any

from perilune.browsers.stored import StoreError

_NO_WINDOW = 0x1


class _Blob(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("data", ctypes.POINTER(ctypes.c_char))]


def unprotect(sealed: bytes) -> bytes:
    """The data. Raises: StoreError PL-COOKIE-LOCKED where the system refuses or is another one."""
    crypt: Any = getattr(ctypes, "windll", None)
    if crypt is None:
        raise StoreError("PL-COOKIE-LOCKED", "absent")
    content = ctypes.create_string_buffer(sealed, len(sealed))
    given, got = _Blob(len(sealed), ctypes.cast(content, ctypes.POINTER(ctypes.c_char))), _Blob()
    pointers = ctypes.byref(given), None, None, None, None, _NO_WINDOW, ctypes.byref(got)
    if not crypt.crypt32.CryptUnprotectData(*pointers):
        raise StoreError("PL-COOKIE-LOCKED")
    try:
        return ctypes.string_at(got.data, got.size)
    finally:
        crypt.kernel32.LocalFree(got.data)
