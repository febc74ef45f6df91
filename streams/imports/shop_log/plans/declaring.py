"""Products and members as a line declares them: field by field, over what was declared before."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.member import ChangeProfile, RegisterMember
from aggregates.member import member as member_decider
from aggregates.product import ListProduct, Product, ProductListed, RepriceProduct
from aggregates.product import product as product_decider
from streams.commands.request import Look
from streams.imports.shop_log.lines import MemberLine, ProductLine


def declare_product(line: ProductLine, at: int, look: Look) -> Iterator[object]:
    """A line that tells a listed product's price and nothing else reprices it."""
    known = look(product_decider, line.product)
    if line.price is not None and line == ProductLine(line.product, price=line.price) and known.listed and not known.retired:
        yield RepriceProduct(line.product, line.price, at)
    else:
        yield merged(line, at, known)


def merged(line: ProductLine, at: int, known: Product) -> ListProduct:
    before = known.listed or ProductListed(line.product, None, None, None, None, None, None, {}, at)
    department, category = placed_in(line, before)
    return ListProduct(
        line.product,
        at,
        name=before.name if line.name is None else line.name,
        department=department,
        category=category,
        brand=before.brand if line.brand is None else line.brand,
        price=known.price if line.price is None else line.price,
        stock=before.stock if line.stock is None else line.stock,
        attributes={**before.attributes, **(line.attributes or {})},
        description=before.description if line.description is None else line.description,
        image=before.image if line.image is None else line.image,
        embedding=before.embedding if line.embedding is None else line.embedding,
    )


def placed_in(line: ProductLine, before: ProductListed) -> tuple[str | None, str | None]:
    """Department and category: a path's first part is the department, unless that is said, too."""
    if line.category is None:
        return before.department if line.department is None else line.department, before.category
    if line.department is None and len(line.category) > 1:
        return line.category[0], " / ".join(line.category[1:])
    return before.department if line.department is None else line.department, " / ".join(line.category)


def declare_member(line: MemberLine, at: int, look: Look) -> Iterator[object]:
    told = (line.member, at, line.name, line.email, line.birthday, line.profile)
    yield RegisterMember(*told) if look(member_decider, line.member).status == "unknown" else ChangeProfile(*told)
