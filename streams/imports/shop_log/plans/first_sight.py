"""Members and products that a line names: made with their id alone if nobody declared them; a session's member is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aggregates.decider import Refusal
from aggregates.member import RegisterMember
from aggregates.member import member as member_decider
from aggregates.product import ListProduct, Product
from aggregates.product import product as product_decider
from aggregates.session import session as session_decider
from streams.commands.request import Look
from streams.imports.shop_log.lines import Who


def recognised(who: Who, look: Look) -> Who:
    """A session that was joined to a member is theirs from then on."""
    if who.member is None and who.session is not None:
        return Who(look(session_decider, who.session).member, who.session)
    return who


def met(who: Who, at: int, look: Look) -> Iterator[object]:
    if who.member is not None:
        yield from met_member(who.member, at, look)


def met_member(member: str, at: int, look: Look) -> Iterator[object]:
    """Raises ``Refusal`` if this member was erased."""
    status = look(member_decider, member).status
    if status == "unknown":
        yield RegisterMember(member, at)
    elif status == "erased":
        raise Refusal("member_erased", "This member was erased; a new membership needs a new id.")


def met_product(product: str, at: int, look: Look) -> Iterator[object]:
    if look(product_decider, product).listed is None:
        yield ListProduct(product, at)


def met_products(products: Iterable[str], at: int, look: Look) -> Iterator[object]:
    for product in dict.fromkeys(products):
        yield from met_product(product, at, look)


def known_product(product: str, look: Look) -> Product:
    return look(product_decider, product)
