from importlib import import_module

import pgtrigger.migrations
from django.db import migrations

# Of a closed organization the functions that post ask by themselves: a trigger for it would weigh on each transfer.
# Whoever closes one waits for those who post, and keeps others from it meanwhile, so both ask after they share the lock.
# What was posted before is told again all the same.
BANDS = import_module("credit.migrations.0015_bands")
POST, POST_MANY = BANDS.with_bands(BANDS.POST), BANDS.with_bands(BANDS.POST_MANY)
CLOSED = "EXISTS (SELECT FROM members_organization WHERE id = of_organization AND closed_at IS NOT NULL)"
REFUSE = f"""IF {CLOSED} THEN
            RAISE EXCEPTION 'The organization is closed.' USING ERRCODE = 'SK003';
        END IF;"""
ASKS = [
    ("        ) VALUES (\n            of_organization,", "        ) SELECT\n            of_organization,"),
    (
        "        ) ON CONFLICT (organization_id, operation, key, target_id) DO NOTHING;",
        f"        WHERE NOT {CLOSED}\n        ON CONFLICT (organization_id, operation, key, target_id) DO NOTHING;",
    ),
    ("        IF NOT FOUND THEN\n", f"        IF NOT FOUND THEN\n            {REFUSE}\n"),
]
ASKS_FOR_MANY = [
    ("    IF of_operation <> 'charge' THEN\n", f"    {REFUSE}\n    IF of_operation <> 'charge' THEN\n"),
]


def asking(function: str, changes: list[tuple[str, str]]) -> str:
    """The statement that replaces a function by one that refuses closed organizations."""
    for plain, asks in changes:
        assert function.count(plain) == 1
        function = function.replace(plain, asks)
    return function


class Migration(migrations.Migration):
    dependencies = [("credit", "0018_closed_organizations")]
    operations = [
        migrations.RunSQL(asking(POST, ASKS), POST),
        migrations.RunSQL(asking(POST_MANY, ASKS_FOR_MANY), POST_MANY),
        pgtrigger.migrations.RemoveTrigger(model_name="transfer", name="of_an_open_organization"),
    ]
