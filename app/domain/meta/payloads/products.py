"""Products of a catalog in interactive messages and in templates.

Source: Meta, "Share products", "Catalog templates", "Multi-product message templates".
"""

from app.domain.meta.payloads.rules import NoMoreThan, title_of_each
from app.domain.meta.payloads.structure import ListOf, Object, OwnLimit
from app.domain.meta.payloads.values import Choice, Text

RETAILER_ID = OwnLimit(Text(1, 256))
CATALOG_ID = OwnLimit(Text(1, 64))

PRODUCT_SECTIONS = ListOf(
    Object(
        required={"product_items": ListOf(Object(required={"product_retailer_id": RETAILER_ID}), 1, 30)},
        optional={"title": Text(1, 24)},
    ),
    1,
    10,
    rules=(NoMoreThan(30, "*.product_items.*", "products"), title_of_each("section")),
)

PRODUCT_ACTION = Object(
    required={"catalog_id": CATALOG_ID, "product_retailer_id": RETAILER_ID},
)
PRODUCT_LIST_ACTION = Object(
    required={"catalog_id": CATALOG_ID, "sections": PRODUCT_SECTIONS},
)
CATALOG_ACTION = Object(
    required={"name": Choice("catalog_message")},
    optional={"parameters": Object(optional={"thumbnail_product_retailer_id": RETAILER_ID})},
)
