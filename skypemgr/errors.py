class DomainError(Exception):
    """A business rule said no. The message is shown to the person who asked, in their language.

    ``field`` names the form field the refusal is about, or None when it is about the whole request.
    """

    field: str | None = None
