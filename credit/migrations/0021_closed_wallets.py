from importlib import import_module

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# Once an organization is closed its wallet is too, so that whoever moves credit from or to it need not ask: the row
# that they change says so, and its lock is what they wait for when it is being closed. A call moves none of the
# wallet; for it the organization is asked, under the lock that whoever closes one holds alone. Seals wait for those who
# write transfers, whoever they are, and need no such lock.
CLOSE = """
CREATE FUNCTION credit_close(of_organization bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(74150, of_organization::integer);
    INSERT INTO credit_ledgeraccount (organization_id, kind, balance, version, band, closed)
    VALUES (of_organization, 'wallet', 0, 0, 1, true)
    ON CONFLICT (organization_id, kind) WHERE member_id IS NULL DO UPDATE SET closed = true
$$
"""
CLOSE_CLOSED = "SELECT credit_close(id) FROM members_organization WHERE closed_at IS NOT NULL"
NO_WAIT = "DROP FUNCTION credit_wait_for_posts(bigint)"
WAIT = import_module("credit.migrations.0008_seals").POSTS
BEFORE = import_module("credit.migrations.0020_guards_of_our_own")
KNOWN = BEFORE.BEFORE.asking(BEFORE.KNOWN, BEFORE.ASKS_ALONE)
KNOWN_MANY = BEFORE.BEFORE.asking(BEFORE.BEFORE.POST_MANY, BEFORE.BEFORE.ASKS_FOR_MANY)
# The lock comes after the accounts and only where no wallet is among them, so that it is never waited for by whoever
# holds a wallet: who closes an organization takes the lock first and the wallet last.
ASKS_WALLET = [
    ("    PERFORM pg_advisory_xact_lock_shared(74150, of_organization::integer);\n", ""),
    ("    different bigint;\n", "    different bigint;\n    is_closed boolean;\n"),
    (
        f"    {BEFORE.BEFORE.REFUSE}\n",
        """    EXECUTE $many$
        SELECT bool_or(closed) FROM credit_ledgeraccount
        WHERE id = ANY (ARRAY(SELECT unnest($1) UNION SELECT unnest($2))) AND kind = 'wallet'
    $many$ INTO is_closed USING sources, targets;
    IF is_closed IS NULL THEN
        PERFORM pg_advisory_xact_lock_shared(74150, of_organization::integer);
        is_closed := EXISTS (
            SELECT FROM members_organization WHERE id = of_organization AND closed_at IS NOT NULL
        );
    END IF;
    IF is_closed THEN
        RAISE EXCEPTION 'The organization is closed.' USING ERRCODE = 'SK003';
    END IF;
""",
    ),
]
POST = """
CREATE OR REPLACE FUNCTION credit_post(
    of_organization bigint, of_operation text, by_kind text, by_user bigint, by_member bigint, of_batch bigint,
    for_reason text, source bigint, target bigint, moved numeric, with_key uuid, moment timestamptz,
    alone boolean, OUT posted integer, OUT left_in_source numeric, OUT known_reason text, OUT known_batch bigint
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    given_balance numeric;
    given_version bigint;
    given_kind text;
    given_closed boolean;
    taken_balance numeric;
    taken_version bigint;
    taken_kind text;
    taken_closed boolean;
    posting text;
BEGIN
    -- Assigned, since what is performed is run as a statement.
    posting := set_config('credit.posting', 'on', true);
    UPDATE credit_ledgeraccount
    SET balance = balance + moved, band = credit_band(balance + moved), version = version + 1
    WHERE id = target AND balance IS NOT NULL
    RETURNING balance, version, kind, closed INTO taken_balance, taken_version, taken_kind, taken_closed;
    UPDATE credit_ledgeraccount
    SET balance = balance - moved, band = credit_band(balance - moved), version = version + 1
    WHERE id = source AND balance IS NOT NULL
    RETURNING balance, version, kind, closed INTO given_balance, given_version, given_kind, given_closed;
    IF given_kind = 'member' AND taken_kind = 'wallet' THEN
        RAISE EXCEPTION 'Allocated credit is not taken back.';
    END IF;
    IF given_kind IS DISTINCT FROM 'wallet' AND taken_kind IS DISTINCT FROM 'wallet' THEN
        PERFORM pg_advisory_xact_lock_shared(74150, of_organization::integer);
        given_closed := EXISTS (
            SELECT FROM members_organization WHERE id = of_organization AND closed_at IS NOT NULL
        );
    END IF;
    left_in_source := given_balance;
    IF (given_balance < 0 AND of_operation <> 'charge') OR given_closed OR taken_closed THEN
        posted := 0;
    ELSE
        INSERT INTO credit_transfer (
            organization_id, source_id, target_id, amount, source_after, source_version, target_after, target_version,
            operation, key, happened_at, recorded_at, actor_kind, actor_user_id, actor_member_id, batch_id, reason
        ) VALUES (
            of_organization, source, target, moved, given_balance, given_version, taken_balance, taken_version,
            of_operation, with_key, coalesce(moment, clock_timestamp()), clock_timestamp(), by_kind, by_user,
            by_member, of_batch, for_reason
        ) ON CONFLICT (organization_id, operation, key, target_id) DO NOTHING;
        GET DIAGNOSTICS posted = ROW_COUNT;
    END IF;
    IF posted = 0 THEN
        -- What was posted before is told again, also of a closed organization.
        SELECT source_id, amount, source_after, reason, batch_id INTO known FROM credit_transfer
        WHERE organization_id = of_organization AND operation = of_operation AND key = with_key AND target_id = target;
        IF NOT FOUND THEN
            IF given_closed OR taken_closed THEN
                RAISE EXCEPTION 'The organization is closed.' USING ERRCODE = 'SK003';
            END IF;
            RAISE EXCEPTION 'An account does not hold as much.' USING ERRCODE = 'SK001',
                DETAIL = format('%s %s %s', source, given_balance + moved, moved);
        END IF;
        IF known.source_id <> source OR known.amount <> moved THEN
            RAISE EXCEPTION 'The key of this operation was used with other facts.' USING ERRCODE = 'SK002';
        END IF;
        left_in_source := known.source_after;
        known_reason := known.reason;
        known_batch := known.batch_id;
        UPDATE credit_ledgeraccount
        SET balance = balance - moved, band = credit_band(balance - moved), version = version - 1
        WHERE id = target AND balance IS NOT NULL;
        UPDATE credit_ledgeraccount
        SET balance = balance + moved, band = credit_band(balance + moved), version = version - 1
        WHERE id = source AND balance IS NOT NULL;
    ELSIF alone THEN
        -- Asked of those that stand alone only: a condition with a query in it is a statement for all.
        IF EXISTS (
            SELECT FROM credit_transfer WHERE organization_id = of_organization AND operation = of_operation
                AND key = with_key AND target_id <> target
        ) THEN
            RAISE EXCEPTION 'The key of this operation was used for somebody else.' USING ERRCODE = 'SK002';
        END IF;
    END IF;
    posting := set_config('credit.posting', 'off', true);
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("credit", "0020_guards_of_our_own")]
    operations = [
        migrations.AddField(
            model_name="ledgeraccount", name="closed", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.RunSQL(CLOSE, "DROP FUNCTION credit_close(bigint)"),
        migrations.RunSQL(CLOSE_CLOSED, migrations.RunSQL.noop),
        migrations.RunSQL(NO_WAIT, WAIT),
        migrations.RunSQL(POST, KNOWN),
        migrations.RunSQL(BEFORE.BEFORE.asking(KNOWN_MANY, ASKS_WALLET), KNOWN_MANY),
        pgtrigger.migrations.AddTrigger(
            model_name="ledgeraccount",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_closed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.closed AND NOT NEW.closed)",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update of \"closed\" rows from % table', TG_TABLE_NAME;",
                    hash="3b0faa00b2f95b0984c1dadfbfdb43074e0bc755",
                    operation='UPDATE OF "closed"',
                    pgid="pgtrigger_stays_closed_8c468",
                    table="credit_ledgeraccount",
                    when="BEFORE",
                ),
            ),
        ),
    ]
