"""The stock is counted once an hour, for the page of those who run the installation."""

from django.db import connection, transaction

from telephony.stock_counts import count_areas


@transaction.atomic(durable=True)
def count_stock() -> None:
    """Count what there is of each area."""
    with connection.cursor() as cursor:
        # Whole tables are read.
        cursor.execute("SET LOCAL statement_timeout = '5min'")
    count_areas()
