"""Decompression of Snappy blocks, as browsers' local storage holds them.

Source: google/snappy format_description.txt.
"""

LARGEST = 64 * 1024 * 1024


def decompress(block: bytes) -> bytes:
    """The content of a raw Snappy block. Raises: ValueError when it is none."""
    size, position = varint(block, 0)
    if size > LARGEST:
        raise ValueError("too large")
    out = bytearray()
    while position < len(block):
        tag = block[position]
        position += 1
        if tag & 3 == 0:
            length, position = _literal_length(block, tag >> 2, position)
            out += _taken(block, position, length)
            position += length
        else:
            length, offset, position = _copy(block, tag, position)
            _repeat(out, offset, length)
        if len(out) > size:
            raise ValueError("longer than it says")
    if len(out) != size:
        raise ValueError("shorter than it says")
    return bytes(out)


def varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of 7-bit groups, least first, and the position behind it. Raises: ValueError."""
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("no number")


def _literal_length(block: bytes, short: int, position: int) -> tuple[int, int]:
    if short < 60:
        return short + 1, position
    count = short - 59
    return int.from_bytes(_taken(block, position, count), "little") + 1, position + count


def _copy(block: bytes, tag: int, position: int) -> tuple[int, int, int]:
    if tag & 3 == 1:
        low = _taken(block, position, 1)[0]
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | low, position + 1
    width = 2 if tag & 3 == 2 else 4
    return (tag >> 2) + 1, int.from_bytes(_taken(block, position, width), "little"), position + width


def _repeat(out: bytearray, offset: int, length: int) -> None:
    """Append what stands `offset` before the end; it may overlap what is being written."""
    if not 0 < offset <= len(out):
        raise ValueError("points before the beginning")
    start = len(out) - offset
    piece = bytes(out[start : start + length])
    while len(piece) < length:
        piece += piece
    out += piece[:length]


def _taken(data: bytes, position: int, length: int) -> bytes:
    taken = data[position : position + length]
    if len(taken) != length:
        raise ValueError("cut off")
    return taken
