"""The letters with which names begin, to jump to them in a list by name."""

from dataclasses import dataclass
from urllib.parse import quote

from django.db import connection

from members.models import Member, Organization
from members.names import letter_of
from members.selectors.members import BY_NAME, MembersQuery
from skypemgr.lists import Page, change_query

# In scripts with thousands of characters a row of those that exist would help nobody.
MOST = 60
# From letter to letter, each found in the index behind all names that begin with the one before.
_LETTERS = """
    WITH RECURSIVE letters (letter, number) AS (
        SELECT NULL::text, 0
        UNION ALL
        SELECT (
            SELECT left(sort_key, 1) FROM members_member
            WHERE organization_id = %(organization)s AND state <> 'left'
                AND sort_key >= coalesce(letter || chr(1114111), '')
            ORDER BY sort_key LIMIT 1
        ), number + 1
        FROM letters WHERE number <= %(most)s AND (letter IS NOT NULL OR number = 0)
    )
    SELECT letter FROM letters WHERE letter IS NOT NULL ORDER BY number
"""


@dataclass(frozen=True)
class JumpLetter:
    """A letter with which names begin, and the list from there on; ``current``: the page begins with it."""

    label: str
    url: str
    current: bool


def jump_letters(asked: MembersQuery, page: Page[Member]) -> list[JumpLetter]:
    """The letters to jump to, in their order; none where the list is one page, or not by name."""
    if asked.order != BY_NAME or asked.search or not (page.previous_url or page.next_url):
        return []
    language = asked.organization.language
    here = letter_of(page.rows[0].sort_key, language)
    base = change_query(asked.query, **{"from": ""})
    separator = "" if base == "?" else "&"
    return [
        JumpLetter(letter, f"{base}{separator}from={quote(letter)}", letter == here)
        for letter in _letters(asked.organization)
    ]


def _letters(organization: Organization) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_LETTERS, {"organization": organization.pk, "most": MOST})
        keys = [key for (key,) in cursor.fetchall()]
    letters = [letter for key in keys if (letter := letter_of(key, organization.language))]
    return letters if len(keys) <= MOST else []
