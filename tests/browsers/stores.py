"""Stores of browsers as the browsers write them, small, with invented values."""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from perilune.browsers.stored import Profile, Wanted

WANTED = Wanted(
    cookie="kimi-auth",
    hosts=("kimi.com", ".kimi.com", "www.kimi.com", ".www.kimi.com"),
    origin="https://www.kimi.com",
    storage_key="access_token",
)


def encrypted(
    plain: str, host: str, *, prefix: bytes = b"v10", password: bytes = b"peanuts", version: int = 24
) -> bytes:
    content = plain.encode()
    if version >= 24:
        content = hashlib.sha256(host.encode()).digest() + content
    count = 16 - len(content) % 16
    key = hashlib.pbkdf2_hmac("sha1", password, b"saltysalt", 1, 16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(b" " * 16)).encryptor()
    return prefix + encryptor.update(content + bytes([count]) * count) + encryptor.finalize()


def chromium_cookies(folder: Path, rows: Iterable[tuple[str, str, str, bytes, int, int]], *, version: int = 24) -> Path:
    """Rows: host, name, value, encrypted value, expiry, last access."""
    file = folder / "Network" / "Cookies"
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as store:
        store.execute("CREATE TABLE meta(key TEXT, value TEXT)")
        store.execute("INSERT INTO meta VALUES ('version', ?)", (str(version),))
        store.execute(
            "CREATE TABLE cookies(host_key TEXT, name TEXT, value TEXT, encrypted_value BLOB, expires_utc INTEGER,"
            " last_access_utc INTEGER, is_persistent INTEGER)"
        )
        store.executemany("INSERT INTO cookies VALUES (?, ?, ?, ?, ?, ?, 1)", list(rows))
        store.commit()
    return file


def chromium(folder: Path, name: str = "Default") -> Profile:
    return Profile(browser="Chromium", family="chromium", name=name, folder=folder, application="chromium")


def firefox(folder: Path) -> Profile:
    return Profile(browser="Firefox", family="firefox", name="default", folder=folder)


def firefox_cookies(folder: Path, version: int = 16) -> sqlite3.Connection:
    """The store, still open with everything in its log, as a running browser keeps it."""
    folder.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(folder / "cookies.sqlite")
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA wal_autocheckpoint = 0")
    store.execute(f"PRAGMA user_version = {version}")
    store.execute(
        "CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, originAttributes TEXT, name TEXT, value TEXT, host TEXT,"
        " path TEXT, expiry INTEGER, lastAccessed INTEGER)"
    )
    store.commit()
    return store


def firefox_cookie(
    store: sqlite3.Connection, value: str, *, host: str = ".kimi.com", name: str = "kimi-auth",
    attributes: str = "", expiry: int = 4_102_444_800_000, accessed: int = 1,
) -> None:  # fmt: skip
    store.execute(
        "INSERT INTO moz_cookies(originAttributes, name, value, host, path, expiry, lastAccessed)"
        " VALUES (?, ?, ?, ?, '/', ?, ?)",
        (attributes, name, value, host, expiry, accessed),
    )
    store.commit()


def firefox_storage(folder: Path, value: bytes, *, conversion: int, compression: int, container: str = "") -> None:
    file = folder / "storage" / "default" / f"https+++www.kimi.com{container}" / "ls" / "data.sqlite"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as store:
        store.execute(
            "CREATE TABLE data(key TEXT PRIMARY KEY, utf16_length INTEGER, conversion_type INTEGER,"
            " compression_type INTEGER, last_access_time INTEGER, value BLOB)"
        )
        store.execute("INSERT INTO data VALUES ('access_token', 1, ?, ?, 0, ?)", (conversion, compression, value))
        store.execute("INSERT INTO data VALUES ('other', 1, 1, 0, 0, 'never-selected')")
        store.commit()


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def snappy(data: bytes) -> bytes:
    """A valid block with literals and, where 4 bytes repeat, copies of all three widths."""
    out, position, seen = bytearray(varint(len(data))), 0, dict[bytes, int]()
    literal = bytearray()

    def flush() -> None:
        while literal:
            piece = bytes(literal[:70_000])
            del literal[:70_000]
            size = len(piece) - 1
            if size < 60:
                out.append(size << 2)
            else:
                width = (size.bit_length() + 7) // 8
                out.append((59 + width) << 2)
                out.extend(size.to_bytes(width, "little"))
            out.extend(piece)

    while position < len(data):
        four = data[position : position + 4]
        at = seen.get(four) if len(four) == 4 else None
        if len(four) == 4:
            seen[four] = position
        if at is None:
            literal.append(data[position])
            position += 1
            continue
        length = 4
        while length < 60 and position + length < len(data) and data[at + length] == data[position + length]:
            length += 1
        flush()
        offset = position - at
        if offset < 2048 and length <= 11:
            out.extend([(offset >> 8) << 5 | (length - 4) << 2 | 1, offset & 0xFF])
        elif offset < 65_536:
            out.extend([(length - 1) << 2 | 2, *offset.to_bytes(2, "little")])
        else:
            out.extend([(length - 1) << 2 | 3, *offset.to_bytes(4, "little")])
        position += length
    flush()
    return bytes(out)


Write = tuple[int, bytes, bytes | None]


def batch(writes: Sequence[Write]) -> bytes:
    """One record of a log: the first sequence number counts, the rest follow it."""
    out = writes[0][0].to_bytes(8, "little") + len(writes).to_bytes(4, "little")
    for _, key, value in writes:
        out += bytes([0 if value is None else 1]) + varint(len(key)) + key
        out += b"" if value is None else varint(len(value)) + value
    return out


def log(records: Sequence[bytes]) -> bytes:
    """Records in blocks of 32 KiB. Checksums are left zero: the reader does not look at them."""
    out = bytearray()
    for record in records:
        rest, is_first = record, True
        while True:
            left = 32_768 - len(out) % 32_768
            if left < 7:
                out += bytes(left)
                continue
            piece, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if is_first else 4) if not rest else (2 if is_first else 3)
            out += bytes(4) + len(piece).to_bytes(2, "little") + bytes([kind]) + piece
            is_first = False
            if not rest:
                break
    return bytes(out)


def table(writes: Sequence[Write], *, per_block: int = 2, compressed: bool = True) -> bytes:
    """A sorted table, keys by their bytes and the newest write of a key first."""
    ordered = sorted(writes, key=lambda write: (write[1], -write[0]))
    entries = [
        (key + (seq << 8 | (value is not None)).to_bytes(8, "little"), value or b"") for seq, key, value in ordered
    ]
    out, index = bytearray(), []
    for start in range(0, len(entries), per_block):
        block = entries[start : start + per_block]
        index.append((block[-1][0], _placed(out, _block(block), compressed)))
    meta = _placed(out, _block([]), False)
    whole = _placed(out, _block(index), compressed)
    footer = meta + whole
    return bytes(out) + footer + bytes(40 - len(footer)) + 0xDB4775248B80FB57.to_bytes(8, "little")


def _block(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    out, before = bytearray(), b""
    for key, value in entries:
        shared = next((n for n, pair in enumerate(zip(before, key, strict=False)) if pair[0] != pair[1]), None)
        shared = min(len(before), len(key)) if shared is None else shared
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return bytes(out) + bytes(4) + (1).to_bytes(4, "little")


def _placed(out: bytearray, block: bytes, compressed: bool) -> bytes:
    content = snappy(block) if compressed else block
    handle = varint(len(out)) + varint(len(content))
    out += content + bytes([1 if compressed else 0]) + bytes(4)
    return handle


def state_of(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
