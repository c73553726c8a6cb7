"""What there is of each area, counted for those who run the installation. Nothing is decided by it."""

from django.db import connection, transaction

_COUNT = """
    UPDATE telephony_numberarea area SET total = found.total, free = found.free, owned = found.owned, counted_at = now()
    FROM (
        SELECT area.id, count(number.id) AS total, count(number.organization_id) AS owned,
            count(number.id) FILTER (
                WHERE number.organization_id IS NULL AND number.retired_at IS NULL AND number.reserved_until < now()
                    AND number.kept_until < now()
            ) AS free
        FROM telephony_numberarea area LEFT JOIN telephony_phonenumber number ON number.area_id = area.id
        GROUP BY area.id
    ) AS found WHERE found.id = area.id
"""


@transaction.atomic(savepoint=False)
def count_areas() -> None:
    """Count every area anew; reads the whole stock."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
