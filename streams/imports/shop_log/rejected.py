"""A line that cannot be taken: a stable code for programs, a sentence for people."""

from __future__ import annotations


class Rejected(Exception):  # noqa: N818 - an answer about one line, not a fault of the file
    """``code`` is stable and snake_case; ``reason`` says what was wrong and what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    def within(self, place: str) -> Rejected:
        """The same, told of a field or an entry of the line.

        >>> Rejected("id_invalid", "An id is text.").within("product_id").reason
        'product_id: An id is text.'
        """
        return Rejected(self.code, f"{place}: {self.reason}")
