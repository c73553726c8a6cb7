from importlib import import_module

import pgtrigger.migrations
from django.db import migrations

# What guards the ledger, in functions of our own: those that pgtrigger makes ask first, in a transaction of its own
# within each, whether somebody wants them ignored. That took a tenth of a transfer, and nobody may.
GUARDS = """
CREATE FUNCTION credit_refuse_hands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('credit.posting', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'Credit moves by credit_post alone.';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION credit_refuse_odd() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('credit.posting', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'Credit moves by credit_post alone.';
    END IF;
    IF NEW.amount <= 0 OR NEW.source_id = NEW.target_id
        OR (NEW.source_after < 0 AND NEW.operation <> 'charge')
        OR (NEW.source_after IS NULL) <> (NEW.source_version IS NULL)
        OR (NEW.target_after IS NULL) <> (NEW.target_version IS NULL)
        OR NEW.operation NOT IN ('purchase', 'allocation', 'recharge', 'charge', 'fee', 'refund', 'settlement')
        OR NEW.actor_kind NOT IN ('member', 'operator', 'system')
    THEN
        RAISE check_violation USING MESSAGE = 'There is no such transfer.';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER changes_by_transfers BEFORE UPDATE OF balance, version, band ON credit_ledgeraccount
    FOR EACH STATEMENT EXECUTE FUNCTION credit_refuse_hands();
CREATE TRIGGER posted BEFORE INSERT ON credit_transfer FOR EACH ROW EXECUTE FUNCTION credit_refuse_odd();
"""
NO_GUARDS = """
DROP TRIGGER posted ON credit_transfer;
DROP TRIGGER changes_by_transfers ON credit_ledgeraccount;
DROP FUNCTION credit_refuse_odd();
DROP FUNCTION credit_refuse_hands();
"""
# Whether a transfer stands alone is asked of those that do: both in one condition are a statement for all.
BEFORE = import_module("credit.migrations.0019_closed_asked_once")
KNOWN = BEFORE.asking(BEFORE.POST, BEFORE.ASKS)
ASKS_ALONE = [
    ("    ELSIF alone AND EXISTS (\n", "    ELSIF alone THEN IF EXISTS (\n"),
    (
        "        RAISE EXCEPTION 'The key of this operation was used for somebody else.' USING ERRCODE = 'SK002';\n",
        "        RAISE EXCEPTION 'The key of this operation was used for somebody else.' USING ERRCODE = 'SK002';\n"
        "        END IF;\n",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("credit", "0019_closed_asked_once")]
    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="ledgeraccount", name="changes_by_transfers"),
        pgtrigger.migrations.RemoveTrigger(model_name="transfer", name="posted"),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        migrations.RunSQL(BEFORE.asking(KNOWN, ASKS_ALONE), KNOWN),
    ]
