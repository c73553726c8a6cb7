from django.db.models import DateTimeField, Func


class DatabaseClock(Func):
    """The database's clock at the very moment a row is looked at.

    Django's ``Now`` is the start of the statement: an UPDATE that waited for a lock would decide by an old time.
    """

    function = "CLOCK_TIMESTAMP"
    output_field = DateTimeField()
