"""Why a line cannot be taken."""

from __future__ import annotations


class Rejected(Exception):  # noqa: N818 - an answer about one line, not a fault of the file
    """A line cannot be taken. ``code`` is stable and snake_case; ``reason`` says what is wrong and what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    def within(self, place: str) -> Rejected:
        """Return the same fault, with the field or entry that it is about.

        >>> Rejected("id_invalid", "An id is text.").within("product_id").reason
        'product_id: An id is text.'
        """
        return Rejected(self.code, f"{place}: {self.reason}")
