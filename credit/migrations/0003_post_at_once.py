from django.db import migrations, models
from django.db.models import Q

# One transfer: the accounts are changed first and the transfer is written last, so that the case which happens
# nearly always takes three statements. A key that was used before shows in the insert; then the accounts get back
# what they had, which is right because their rows are locked since.
#
# An account that is not the wallet is locked before the wallet, which everybody wants.
POST = """
CREATE OR REPLACE FUNCTION credit_post(
    of_organization bigint, of_operation text, by_kind text, by_user bigint, by_member bigint, of_batch bigint,
    for_reason text, source bigint, target bigint, moved numeric, with_key uuid, moment timestamptz,
    OUT posted integer
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    given record;
    taken record;
BEGIN
    PERFORM set_config('credit.posting', 'on', true);
    UPDATE credit_ledgeraccount SET balance = balance + moved, version = version + 1
    WHERE id = target AND balance IS NOT NULL RETURNING balance, version, kind INTO taken;
    UPDATE credit_ledgeraccount SET balance = balance - moved, version = version + 1
    WHERE id = source AND balance IS NOT NULL RETURNING balance, version, kind INTO given;
    IF given.kind = 'member' AND taken.kind = 'wallet' THEN
        RAISE EXCEPTION 'Allocated credit is not taken back.';
    END IF;
    posted := 0;
    IF given.balance IS NULL OR given.balance >= 0 OR of_operation = 'charge' THEN
        INSERT INTO credit_transfer (
            organization_id, source_id, target_id, amount, source_after, source_version, target_after, target_version,
            operation, key, happened_at, recorded_at, actor_kind, actor_user_id, actor_member_id, batch_id, reason
        ) VALUES (
            of_organization, source, target, moved, given.balance, given.version, taken.balance, taken.version,
            of_operation, with_key, moment, clock_timestamp(), by_kind, by_user, by_member, of_batch, for_reason
        ) ON CONFLICT (organization_id, operation, key, target_id) DO NOTHING;
        GET DIAGNOSTICS posted = ROW_COUNT;
    END IF;
    IF posted = 0 THEN
        SELECT source_id, amount INTO known FROM credit_transfer
        WHERE organization_id = of_organization AND operation = of_operation AND key = with_key AND target_id = target;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'An account does not hold as much.' USING ERRCODE = 'SK001',
                DETAIL = format('%s %s %s', source, given.balance + moved, moved);
        END IF;
        IF known.source_id <> source OR known.amount <> moved THEN
            RAISE EXCEPTION 'The key of this operation was used with other facts.' USING ERRCODE = 'SK002';
        END IF;
        UPDATE credit_ledgeraccount SET balance = balance - moved, version = version - 1
        WHERE id = target AND balance IS NOT NULL;
        UPDATE credit_ledgeraccount SET balance = balance + moved, version = version - 1
        WHERE id = source AND balance IS NOT NULL;
    END IF;
    PERFORM set_config('credit.posting', 'off', true);
END
$$
"""
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
        migrations.RunSQL(POST, migrations.RunSQL.noop),
        migrations.RunSQL(NEVER_EMPTIED, EMPTIED),
    ]
