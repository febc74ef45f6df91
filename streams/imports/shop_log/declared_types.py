"""Lines that declare a product or a member."""

from __future__ import annotations

from streams.imports.shop_log import building
from streams.imports.shop_log.kinds import ATTRIBUTES, CATEGORY, COUNT, EMBEDDING, MONEY, PROFILE, PROFILE_VALUE, TAGS, TEXT
from streams.imports.shop_log.line_type import PRODUCT, WHO, line_type
from streams.imports.shop_log.shape import Field

DECLARED = (
    line_type(
        "product",
        "A product as it is from now on; told again, it is updated field by field.",
        building.product,
        {
            **PRODUCT,
            "name": Field(TEXT, "Its name."),
            "category": Field(CATEGORY, "Its category, or the path to it, widest first."),
            "brand": Field(TEXT, "Its brand."),
            "description": Field(TEXT, "Its description."),
            "price": Field(MONEY, "Its list price."),
            "stock": Field(COUNT, "Pieces in stock."),
            "image": Field(TEXT, "Its picture's address."),
            "embedding": Field(EMBEDDING, "A vector that says what it is like."),
            "department": Field(TEXT, "Its department.", ours=True),
            "attributes": Field(ATTRIBUTES, "What else is known of it, text by name.", ours=True),
        },
        "product_id",
    ),
    line_type(
        "member",
        "A member as they are from now on; told again, they are updated field by field. Any other field is of their profile.",
        building.member,
        {
            "member_id": WHO["member_id"],
            "name": Field(TEXT, "Their name."),
            "email": Field(TEXT, "Their e-mail address."),
            "birthday": Field(TEXT, "Their birthday, as in 1990-12-31."),
            "tags": Field(TAGS, "A list of words, or text with commas between them."),
            "profile": Field(PROFILE, "Profile fields by name, for names that mean something else on a line.", ours=True),
        },
        "member_id",
        rest=PROFILE_VALUE,
    ),
)
