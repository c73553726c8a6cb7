from django.db import migrations

# What belongs together belongs to one organization, and the database sees to it.
FENCES = [
    ("credit_ledgeraccount", "member_id", "members_member", "ledger_account_member_same_organization"),
    ("credit_transfer", "source_id", "credit_ledgeraccount", "transfer_source_same_organization"),
    ("credit_transfer", "target_id", "credit_ledgeraccount", "transfer_target_same_organization"),
]


def fence(table: str, column: str, target: str, name: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


# The only way in which credit moves: `credit/ledger.py` calls it with one transfer or ten thousand.
#
# Accounts that keep a balance are locked by key, an organization's wallet last, since everybody wants that one.
# Transfers whose key has been used are left out when they say the same, and refused when they don't (SK002); the rest
# is refused as a whole (SK001) unless each source covers what is taken from it.
#
# One transfer goes by plans that are kept. For many they are made anew, since a plan for one is no good for thousands.
POST = """
CREATE FUNCTION credit_post(
    of_organization bigint, of_operation text, by_kind text, by_user bigint, by_member bigint, of_batch bigint,
    for_reason text, source bigint, target bigint, moved numeric, with_key uuid, moment timestamptz,
    OUT posted integer
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    given record;
    taken record;
BEGIN
    PERFORM FROM credit_ledgeraccount WHERE id IN (source, target) AND balance IS NOT NULL
    ORDER BY kind = 'wallet', id FOR NO KEY UPDATE;

    SELECT source_id, amount INTO known FROM credit_transfer
    WHERE organization_id = of_organization AND operation = of_operation AND key = with_key AND target_id = target;
    IF FOUND THEN
        IF known.source_id <> source OR known.amount <> moved THEN
            RAISE EXCEPTION 'The key of this operation was used with other facts.' USING ERRCODE = 'SK002';
        END IF;
        posted := 0;
        RETURN;
    END IF;

    PERFORM set_config('credit.posting', 'on', true);
    UPDATE credit_ledgeraccount SET balance = balance + moved, version = version + 1
    WHERE id = target AND balance IS NOT NULL RETURNING balance, version INTO taken;
    UPDATE credit_ledgeraccount SET balance = balance - moved, version = version + 1
    WHERE id = source AND balance IS NOT NULL RETURNING balance, version INTO given;
    IF given.balance < 0 AND of_operation <> 'charge' THEN
        RAISE EXCEPTION 'An account does not hold as much.' USING ERRCODE = 'SK001',
            DETAIL = format('%s %s %s', source, given.balance + moved, moved);
    END IF;
    INSERT INTO credit_transfer (
        organization_id, source_id, target_id, amount, source_after, source_version, target_after, target_version,
        operation, key, happened_at, recorded_at, actor_kind, actor_user_id, actor_member_id, batch_id, reason
    ) VALUES (
        of_organization, source, target, moved, given.balance, given.version, taken.balance, taken.version,
        of_operation, with_key, moment, clock_timestamp(), by_kind, by_user, by_member, of_batch, for_reason
    );
    PERFORM set_config('credit.posting', 'off', true);
    posted := 1;
END
$$
"""
POST_MANY = """
CREATE FUNCTION credit_post_many(
    of_organization bigint, of_operation text, by_kind text, by_user bigint, by_member bigint, of_batch bigint,
    for_reason text, sources bigint[], targets bigint[], amounts numeric[], keys uuid[], moments timestamptz[],
    OUT posted bigint, OUT repeated bigint
) LANGUAGE plpgsql AS $$
DECLARE
    different bigint;
    short record;
BEGIN
    EXECUTE $many$
        SELECT FROM credit_ledgeraccount
        WHERE id = ANY (ARRAY(SELECT unnest($1) UNION SELECT unnest($2))) AND balance IS NOT NULL
        ORDER BY kind = 'wallet', id FOR NO KEY UPDATE
    $many$ USING sources, targets;

    EXECUTE $many$
        SELECT count(*), count(*) FILTER (WHERE known.source_id <> asked.source OR known.amount <> asked.amount)
        FROM unnest($3, $4, $5, $6) AS asked (source, target, amount, key)
        JOIN credit_transfer known ON known.organization_id = $1 AND known.operation = $2
            AND known.key = asked.key AND known.target_id = asked.target
    $many$ INTO repeated, different USING of_organization, of_operation, sources, targets, amounts, keys;
    IF different > 0 THEN
        RAISE EXCEPTION 'The key of this operation was used with other facts.' USING ERRCODE = 'SK002';
    END IF;
    posted := 0;
    IF repeated = cardinality(sources) THEN
        RETURN;
    END IF;
    IF repeated > 0 THEN
        EXECUTE $many$
            SELECT array_agg(source ORDER BY place), array_agg(target ORDER BY place),
                array_agg(amount ORDER BY place), array_agg(key ORDER BY place), array_agg(moment ORDER BY place)
            FROM unnest($3, $4, $5, $6, $7) WITH ORDINALITY AS asked (source, target, amount, key, moment, place)
            WHERE NOT EXISTS (
                SELECT FROM credit_transfer known WHERE known.organization_id = $1 AND known.operation = $2
                    AND known.key = asked.key AND known.target_id = asked.target)
        $many$ INTO sources, targets, amounts, keys, moments
        USING of_organization, of_operation, sources, targets, amounts, keys, moments;
    END IF;

    IF of_operation <> 'charge' THEN
        EXECUTE $many$
            SELECT account.id, account.balance, asked.wanted
            FROM (SELECT source, sum(amount) AS wanted FROM unnest($1, $2) AS asked (source, amount) GROUP BY source)
                asked
            JOIN credit_ledgeraccount account ON account.id = asked.source
            WHERE asked.wanted > account.balance ORDER BY account.id LIMIT 1
        $many$ INTO short USING sources, amounts;
        IF short.id IS NOT NULL THEN
            RAISE EXCEPTION 'An account does not hold as much.' USING ERRCODE = 'SK001',
                DETAIL = format('%s %s %s', short.id, short.balance, short.wanted);
        END IF;
    END IF;

    PERFORM set_config('credit.posting', 'on', true);
    EXECUTE $many$
        WITH asked AS MATERIALIZED (
            SELECT * FROM unnest($8, $9, $10, $11, $12)
                WITH ORDINALITY AS asked (source, target, amount, key, moment, number)
        ), steps AS MATERIALIZED (
            SELECT number, account.id,
                account.balance + sum(change) OVER so_far AS after,
                account.version + row_number() OVER so_far AS version,
                row_number() OVER so_far = count(*) OVER (PARTITION BY account.id) AS is_last
            FROM (
                SELECT number, source AS id, -amount AS change FROM asked
                UNION ALL SELECT number, target, amount FROM asked
            ) moved JOIN credit_ledgeraccount account USING (id)
            WHERE account.balance IS NOT NULL
            WINDOW so_far AS (PARTITION BY account.id ORDER BY number ROWS UNBOUNDED PRECEDING)
        ), counted AS (
            UPDATE credit_ledgeraccount account SET balance = steps.after, version = steps.version
            FROM steps WHERE steps.is_last AND account.id = steps.id
        )
        INSERT INTO credit_transfer (
            organization_id, source_id, target_id, amount, source_after, source_version, target_after, target_version,
            operation, key, happened_at, recorded_at, actor_kind, actor_user_id, actor_member_id, batch_id, reason
        )
        SELECT $1, asked.source, asked.target, asked.amount, given.after, given.version, taken.after, taken.version,
            $2, asked.key, asked.moment, clock_timestamp(), $3, $4, $5, $6, $7
        FROM asked
        LEFT JOIN steps given ON given.number = asked.number AND given.id = asked.source
        LEFT JOIN steps taken ON taken.number = asked.number AND taken.id = asked.target
        ORDER BY asked.number
    $many$ USING of_organization, of_operation, by_kind, by_user, by_member, of_batch, for_reason,
        sources, targets, amounts, keys, moments;
    GET DIAGNOSTICS posted = ROW_COUNT;
    PERFORM set_config('credit.posting', 'off', true);
END
$$
"""
ONE = "(bigint, text, text, bigint, bigint, bigint, text, bigint, bigint, numeric, uuid, timestamptz)"
MANY = "(bigint, text, text, bigint, bigint, bigint, text, bigint[], bigint[], numeric[], uuid[], timestamptz[])"


class Migration(migrations.Migration):
    dependencies = [("credit", "0001_ledger")]

    operations = [
        *(fence(*facts) for facts in FENCES),
        migrations.RunSQL(POST, f"DROP FUNCTION credit_post{ONE}"),
        migrations.RunSQL(POST_MANY, f"DROP FUNCTION credit_post_many{MANY}"),
    ]
