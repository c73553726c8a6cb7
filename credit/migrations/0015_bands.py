from importlib import import_module

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# The bounds are those of credit.models.ledger. A function of one expression is made part of the statement that asks it.
BAND = """
CREATE FUNCTION credit_band(balance numeric) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN width_bucket(balance, ARRAY[0, 1, 5, 10, 50, 100, 500, 1000]::numeric[])
"""
# Where both functions that post write a balance, they write its band.
POST = import_module("credit.migrations.0012_post_tells").POST
POST_MANY = import_module("credit.migrations.0005_accounts_asked_once").POST_MANY
WRITES = {
    "SET balance = balance + moved,": "SET balance = balance + moved, band = credit_band(balance + moved),",
    "SET balance = balance - moved,": "SET balance = balance - moved, band = credit_band(balance - moved),",
    "SET balance = steps.after,": "SET balance = steps.after, band = credit_band(steps.after),",
}


def with_bands(function: str) -> str:
    """The statement that replaces a function by one that writes bands too."""
    for plain, banded in WRITES.items():
        function = function.replace(plain, banded)
    assert "credit_band" in function
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


FILL = """
SELECT set_config('credit.posting', 'on', true);
UPDATE credit_ledgeraccount SET band = credit_band(balance) WHERE balance IS NOT NULL;
SELECT set_config('credit.posting', 'off', true)
"""


REFUSE_HANDS = (
    "\n    IF current_setting('credit.posting', true) IS DISTINCT FROM 'on' THEN\n"
    "        RAISE EXCEPTION 'Credit moves by credit_post alone.';\n    END IF;\n RETURN NULL;"
)


class Migration(migrations.Migration):
    dependencies = [("credit", "0014_newest_vat_ids"), ("members", "0018_joined_when")]
    operations = [
        migrations.AddField(
            model_name="ledgeraccount", name="band", field=models.IntegerField(null=True)
        ),
        migrations.RunSQL(BAND, "DROP FUNCTION credit_band(numeric)"),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(with_bands(POST), migrations.RunSQL.noop),
        migrations.RunSQL(with_bands(POST_MANY), migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="ledgeraccount",
            index=models.Index(
                condition=models.Q(("kind", "member")),
                fields=["organization", "band"],
                include=("member",),
                name="ledger_accounts_by_band",
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(model_name="ledgeraccount", name="changes_by_transfers"),
        pgtrigger.migrations.AddTrigger(
            model_name="ledgeraccount",
            trigger=pgtrigger.compiler.Trigger(
                name="changes_by_transfers",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func=REFUSE_HANDS,
                    hash="3bdb2f11a32ea5b4adb0b75becba75107b773f76",
                    level="STATEMENT",
                    operation='UPDATE OF "balance", "version", "band"',
                    pgid="pgtrigger_changes_by_transfers_b391e",
                    table="credit_ledgeraccount",
                    when="BEFORE",
                ),
            ),
        ),
    ]
