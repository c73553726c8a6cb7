"""Products as they depend on each other: what includes what, and what requires what. Codes only, once for a use."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from telephony.models import Product


@dataclass(frozen=True)
class Catalog:
    """All products by code, in their order."""

    products: Mapping[str, Product]
    includes: Mapping[str, frozenset[str]]
    requires: Mapping[str, frozenset[str]]

    @classmethod
    def load(cls) -> "Catalog":
        found = list(Product.objects.order_by("order", "pk").prefetch_related("includes", "requires"))
        return cls(
            {product.code: product for product in found},
            {product.code: frozenset(other.code for other in product.includes.all()) for product in found},
            {product.code: frozenset(other.code for other in product.requires.all()) for product in found},
        )

    def had_with(self, seats: Iterable[str]) -> frozenset[str]:
        """What whoever has seats of these products has, with all that they include."""
        return frozenset().union(*({code} | self.includes[code] for code in seats))

    def includers(self, code: str, seats: Iterable[str]) -> list[str]:
        """Which of ``seats`` include a product, so that it needs no seat of its own."""
        return [other for other in seats if other != code and code in self.includes[other]]

    def meets(self, code: str, seats: Iterable[str]) -> bool:
        """Whether ``seats`` are what a product requires."""
        required = self.requires[code]
        return not required or bool(required & self.had_with(seats))

    def dependents(self, seats: Collection[str], ended: str) -> list[str]:
        """Which of ``seats`` go without what they require once that of ``ended`` is gone, and they with it."""
        left = set(seats) - {ended}
        without: list[str] = []
        while lacking := [code for code in self.products if code in left and not self.meets(code, left)]:
            without += lacking
            left -= set(lacking)
        return [code for code in without if self.meets(code, seats)]

    def names(self, codes: Iterable[str]) -> str:
        """Products as they are told in a sentence."""
        return ", ".join(self.products[code].name for code in codes)
