from django.db import migrations, models
from django.db.models import Q

# TRUNCATE asks no row; a ledger is never emptied.
NEVER_EMPTIED = """
CREATE FUNCTION credit_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is never emptied.';
END
$$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON credit_ledgeraccount EXECUTE FUNCTION credit_never_emptied();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON credit_transfer EXECUTE FUNCTION credit_never_emptied();
"""
EMPTIED = """
DROP TRIGGER never_emptied ON credit_transfer;
DROP TRIGGER never_emptied ON credit_ledgeraccount;
DROP FUNCTION credit_never_emptied();
"""


class Migration(migrations.Migration):
    dependencies = [("credit", "0002_post")]

    operations = [
        migrations.RemoveConstraint(model_name="ledgeraccount", name="ledger_account_keeps_balance"),
        migrations.AddConstraint(
            model_name="ledgeraccount",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["wallet", "member"], balance__isnull=False, version__isnull=False)
                | Q(kind__in=["receivable", "purchases", "usage", "fees"], balance=None, version=None),
                name="ledger_account_keeps_balance",
            ),
        ),
        migrations.RunSQL(NEVER_EMPTIED, EMPTIED),
    ]
