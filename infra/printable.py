"""Text of a shop made safe to print: what a terminal or a reader could be deceived by becomes visible.

Names, searches and reasons come from outside. A terminal obeys control characters, and bidirectional overrides make a line read
otherwise than it is stored. Every program output that shows such text passes it through :func:`printable` first.
"""

from __future__ import annotations

import re

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, line separators, bidirectional marks and overrides, the byte order mark, halves of surrogate pairs."""


def printable(text: object) -> str:
    r"""Return the text with each unsafe character written as its escape.

    >>> printable("red \x1b[31mtea"), printable("\u202etea"), printable("green tea")
    ('red \\x1b[31mtea', '\\u202etea', 'green tea')
    """
    return UNSAFE.sub(_escaped, str(text))


def printable_json(encoded: bytes) -> bytes:
    r"""Return JSON with its unsafe characters as JSON's own escapes, so that it means the same and can be shown.

    >>> printable_json('{"name":"\u202etea"}'.encode())
    b'{"name":"\\u202etea"}'
    """
    text = encoded.decode()
    if UNSAFE.search(text) is None:
        return encoded
    return UNSAFE.sub(lambda found: found[0] if found[0] in "\n\r\t" else f"\\u{ord(found[0]):04x}", text).encode()


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x7F else f"\\u{code:04x}"  # which JSON has, too
