from django.db import migrations

# As before, and it tells what came of the transfer, so that nobody has to ask: what it left in its source, and for
# a key that was used before why and in which batch. The key of one that stands ``alone`` names no other transfer of its
# operation; asked last, when whoever used it for another account has ended, since they had the wallet.
FORGET = """
DROP FUNCTION credit_post(
    bigint, text, text, bigint, bigint, bigint, text, bigint, bigint, numeric, uuid, timestamptz
)
"""
POST = """
CREATE FUNCTION credit_post(
    of_organization bigint, of_operation text, by_kind text, by_user bigint, by_member bigint, of_batch bigint,
    for_reason text, source bigint, target bigint, moved numeric, with_key uuid, moment timestamptz,
    alone boolean, OUT posted integer, OUT left_in_source numeric, OUT known_reason text, OUT known_batch bigint
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    given_balance numeric;
    given_version bigint;
    given_kind text;
    taken_balance numeric;
    taken_version bigint;
    taken_kind text;
    posting text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(74150, of_organization::integer);
    -- Assigned, since what is performed is run as a statement.
    posting := set_config('credit.posting', 'on', true);
    UPDATE credit_ledgeraccount SET balance = balance + moved, version = version + 1
    WHERE id = target AND balance IS NOT NULL RETURNING balance, version, kind INTO taken_balance, taken_version, taken_kind;
    UPDATE credit_ledgeraccount SET balance = balance - moved, version = version + 1
    WHERE id = source AND balance IS NOT NULL RETURNING balance, version, kind INTO given_balance, given_version, given_kind;
    IF given_kind = 'member' AND taken_kind = 'wallet' THEN
        RAISE EXCEPTION 'Allocated credit is not taken back.';
    END IF;
    posted := 0;
    left_in_source := given_balance;
    IF given_balance IS NULL OR given_balance >= 0 OR of_operation = 'charge' THEN
        INSERT INTO credit_transfer (
            organization_id, source_id, target_id, amount, source_after, source_version, target_after, target_version,
            operation, key, happened_at, recorded_at, actor_kind, actor_user_id, actor_member_id, batch_id, reason
        ) VALUES (
            of_organization, source, target, moved, given_balance, given_version, taken_balance, taken_version,
            of_operation, with_key, coalesce(moment, clock_timestamp()), clock_timestamp(), by_kind, by_user, by_member, of_batch, for_reason
        ) ON CONFLICT (organization_id, operation, key, target_id) DO NOTHING;
        GET DIAGNOSTICS posted = ROW_COUNT;
    END IF;
    IF posted = 0 THEN
        SELECT source_id, amount, source_after, reason, batch_id INTO known FROM credit_transfer
        WHERE organization_id = of_organization AND operation = of_operation AND key = with_key AND target_id = target;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'An account does not hold as much.' USING ERRCODE = 'SK001',
                DETAIL = format('%s %s %s', source, given_balance + moved, moved);
        END IF;
        IF known.source_id <> source OR known.amount <> moved THEN
            RAISE EXCEPTION 'The key of this operation was used with other facts.' USING ERRCODE = 'SK002';
        END IF;
        left_in_source := known.source_after;
        known_reason := known.reason;
        known_batch := known.batch_id;
        UPDATE credit_ledgeraccount SET balance = balance - moved, version = version - 1
        WHERE id = target AND balance IS NOT NULL;
        UPDATE credit_ledgeraccount SET balance = balance + moved, version = version - 1
        WHERE id = source AND balance IS NOT NULL;
    ELSIF alone AND EXISTS (
        SELECT FROM credit_transfer WHERE organization_id = of_organization AND operation = of_operation
            AND key = with_key AND target_id <> target
    ) THEN
        RAISE EXCEPTION 'The key of this operation was used for somebody else.' USING ERRCODE = 'SK002';
    END IF;
    posting := set_config('credit.posting', 'off', true);
END
$$
"""


# Room on each page for what the accounts on it hold next, so that no index has to hear of it.
ROOM = "ALTER TABLE credit_ledgeraccount SET (fillfactor = 50)"


class Migration(migrations.Migration):
    dependencies = [("credit", "0011_limit_of_charges")]
    operations = [migrations.RunSQL([FORGET, POST, ROOM], migrations.RunSQL.noop)]
