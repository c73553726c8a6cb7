"""What must be true of numbers, addresses, licenses and rates, whatever has crashed. Figures only, no names."""

from skypemgr.invariants import Findings, count, invariant


@invariant
def numbers_are_of_one() -> Findings:
    """I7: a number is owned by whoever its history says, at one time by one, and held by one reservation or none."""
    if number := count("""
        SELECT count(*) FROM telephony_phonenumber number
        FULL JOIN (SELECT * FROM telephony_numberownership WHERE until IS NULL) AS owned ON owned.number_id = number.id
        WHERE number.organization_id IS DISTINCT FROM owned.organization_id
    """):
        yield f"{number} numbers are owned by another than their history says."
    if number := count("""
        SELECT count(DISTINCT earlier.number_id) FROM telephony_numberownership earlier
        JOIN telephony_numberownership later ON later.number_id = earlier.number_id AND later.id > earlier.id
        WHERE earlier.until IS NULL OR earlier.until > later.since
    """):
        yield f"{number} numbers were owned by two at a time."
    if number := count("""
        SELECT count(*) FROM telephony_phonenumber number
        JOIN telephony_reservation reservation ON reservation.id = number.reservation_id
        WHERE number.reserved_until > reservation.expires_at
            OR number.last_held_by_id <> reservation.organization_id OR cardinality(number.held_at) > 3
    """):
        yield f"{number} numbers are held longer than their reservation, or by another."


@invariant
def reservations_keep_their_limits() -> Findings:
    """An organization has ten reservations and 200 held numbers at the most."""
    if number := count("""
        SELECT count(*) FROM (
            SELECT reservation.organization_id FROM telephony_reservation reservation
            LEFT JOIN telephony_phonenumber number
                ON number.reservation_id = reservation.id AND number.reserved_until > clock_timestamp()
            WHERE reservation.ended_at IS NULL AND reservation.expires_at > clock_timestamp()
            GROUP BY reservation.organization_id
            HAVING count(DISTINCT reservation.id) > 10 OR count(number.id) > 200
        ) AS wrong
    """):
        yield f"{number} organizations hold more than they may."


@invariant
def acquisitions_keep_their_quota() -> Findings:
    """When numbers for people were acquired in the last week, no more were owned then than their quota allowed."""
    if number := count("""
        SELECT count(*) FROM telephony_numberacquisition acquisition
        WHERE acquisition.allowed IS NOT NULL AND acquisition.state = 'completed'
            AND acquisition.made_at > now() - interval '7 days'
            AND acquisition.allowed < (
                SELECT count(*) FROM telephony_numberownership owned
                JOIN telephony_phonenumber number ON number.id = owned.number_id
                JOIN telephony_numberarea area ON area.id = number.area_id
                WHERE owned.organization_id = acquisition.organization_id AND owned.source = 'stock'
                    AND area.type = 'user' AND owned.since <= acquisition.made_at
                    AND (owned.until IS NULL OR owned.until > acquisition.made_at)
            )
    """):
        yield f"{number} acquisitions passed the quota of their organization."


@invariant
def emergency_addresses_are_validated() -> Findings:
    """Every address that people can be given has a version that was validated, and versions without a gap."""
    if number := count("SELECT count(*) FROM telephony_emergencyaddress WHERE current_id IS NULL"):
        yield f"{number} emergency addresses have no version that counts."
    if number := count("""
        SELECT count(*) FROM telephony_emergencyaddressversion
        WHERE status <> 'validated_manually' AND EXISTS (SELECT FROM jsonb_each_text(fields) WHERE value = 'invalid')
    """):
        yield f"{number} versions of emergency addresses are not validated."
    if number := count("""
        SELECT count(*) FROM (
            SELECT address.id FROM telephony_emergencyaddress address
            JOIN telephony_emergencyaddressversion version ON version.address_id = address.id
            JOIN telephony_emergencyaddressversion newest ON newest.id = address.current_id
            GROUP BY address.id, newest.number
            HAVING count(version.id) <> max(version.number) OR newest.number <> max(version.number)
        ) AS broken
    """):
        yield f"{number} emergency addresses lack a version, or don't go by the newest."


@invariant
def seats_are_counted() -> Findings:
    """What a license counts as assigned are the seats that people have of it."""
    if number := count("""
        SELECT count(*) FROM telephony_license license WHERE assigned <> (
            SELECT count(*) FROM telephony_licenseassignment seat
            WHERE seat.license_id = license.id AND seat.ended_at IS NULL
        )
    """):
        yield f"{number} licenses count other seats than people have."


@invariant
def licenses_are_paid() -> Findings:
    """A license that is awake and in no grace has paid the period it is in, and each period moved its fee."""
    if number := count("""
        SELECT count(*) FROM telephony_license license
        WHERE NOT EXISTS (
            SELECT FROM telephony_licenseperiod period
            WHERE period.license_id = license.id AND period.begins_on = license.began_on
                AND period.ends_before = license.renews_on AND period.quantity = license.quantity
        )
    """):
        yield f"{number} licenses have not paid the period they are in."
    if number := count("""
        SELECT count(*) FROM telephony_licenseperiod period
        LEFT JOIN credit_transfer transfer ON transfer.id = period.transfer_id AND transfer.operation = 'fee'
        WHERE coalesce(transfer.amount, 0) <> period.amount
    """):
        yield f"{number} periods of licenses moved another fee than they cost."


@invariant
def seats_have_what_they_require() -> Findings:
    """Whoever has a seat has one, asleep or not, of what its product requires."""
    if number := count("""
        SELECT count(*) FROM telephony_licenseassignment seat
        WHERE seat.ended_at IS NULL
            AND EXISTS (SELECT FROM telephony_product_requires needs WHERE needs.from_product_id = seat.product_id)
            AND NOT EXISTS (
                SELECT FROM telephony_product_requires needs
                JOIN telephony_licenseassignment other
                    ON other.member_id = seat.member_id AND other.ended_at IS NULL
                LEFT JOIN telephony_product_includes includes
                    ON includes.from_product_id = other.product_id AND includes.to_product_id = needs.to_product_id
                WHERE needs.from_product_id = seat.product_id
                    AND (other.product_id = needs.to_product_id OR includes.id IS NOT NULL)
            )
    """):
        yield f"{number} seats go without what they require."


@invariant
def numbers_are_used_in_their_country() -> Findings:
    """Whoever has a number has a business account, and is found in the country that the number is of."""
    if number := count("""
        SELECT count(*) FROM telephony_numberassignment assignment
        JOIN telephony_phonenumber number ON number.id = assignment.number_id
        JOIN telephony_numberarea area ON area.id = number.area_id
        JOIN telephony_emergencyaddress address ON address.id = assignment.emergency_address_id
        JOIN members_member member ON member.id = assignment.member_id
        WHERE assignment.until IS NULL
            AND (area.country <> address.country OR address.retired_at IS NOT NULL OR area.type <> 'user'
                OR member.account_kind <> 'business')
    """):
        yield f"{number} people have a number that they can't be found by."


@invariant
def rate_decks_are_whole() -> Findings:
    """A version of a rate deck has the rates it was loaded with, and its ranges say what they say."""
    if number := count("""
        SELECT count(*) FROM telephony_ratedeckversion version
        LEFT JOIN (
            SELECT version_id, count(*) AS rates, count(DISTINCT prefix) AS prefixes FROM telephony_prefixrate
            GROUP BY version_id
        ) AS stored ON stored.version_id = version.id
        WHERE (version.rates, version.prefixes) IS DISTINCT FROM (stored.rates, stored.prefixes)
            OR NOT EXISTS (
                SELECT FROM telephony_raterange ranges
                WHERE ranges.version_id = version.id AND ranges.low = '' AND ranges.valid_from = '-infinity'
            )
    """):
        yield f"{number} versions of rate decks have other rates than they were loaded with."
    if number := count("""
        SELECT count(*) FROM telephony_raterange ranges JOIN telephony_prefixrate rate ON rate.id = ranges.rate_id
        WHERE (
            ranges.version_id, ranges.connection_fee, ranges.per_minute, ranges.first_increment, ranges.next_increment,
            ranges.grace_seconds, ranges.minimum_charge
        ) IS DISTINCT FROM (
            rate.version_id, rate.connection_fee, rate.per_minute, rate.first_increment, rate.next_increment,
            rate.grace_seconds, rate.minimum_charge
        )
    """):
        yield f"{number} ranges of rate decks say something else than their rates."


@invariant
def calls_are_what_they_add_up_to() -> Findings:
    """What calls add up to by month is what their days add up to, and what was charged for them is in the ledger."""
    if number := count("""
        SELECT count(*) FROM (
            SELECT organization_id, month, department_id, sum(calls), sum(answered), sum(seconds), sum(charge) FROM (
                SELECT organization_id, month, department_id, calls, answered, seconds, charge
                FROM telephony_monthusage
                UNION ALL SELECT organization_id, date_trunc('month', day)::date, department_id, -calls, -answered,
                    -seconds, -charge FROM telephony_dayusage
            ) AS counted GROUP BY 1, 2, 3
            HAVING sum(calls) <> 0 OR sum(answered) <> 0 OR sum(seconds) <> 0 OR sum(charge) <> 0
        ) AS wrong
    """):
        yield f"{number} months add up to something else than their days."
    for table in ("telephony_memberusage", "telephony_destinationusage"):
        if number := count(f"""
            SELECT count(*) FROM (
                SELECT organization_id, month FROM (
                    SELECT organization_id, month, calls, charge FROM telephony_monthusage
                    UNION ALL SELECT organization_id, month, -calls, -charge FROM {table}
                ) AS counted GROUP BY 1, 2 HAVING sum(calls) <> 0 OR sum(charge) <> 0
            ) AS wrong
        """):  # noqa: S608
            yield f"{number} months add up to something else by {table}."
    if number := count("""
        SELECT count(*) FROM telephony_call call LEFT JOIN credit_transfer posted
            ON posted.organization_id = call.organization_id AND posted.operation = 'charge'
            AND posted.key = md5('call ' || call.id || ' ' || call.postings)::uuid
        WHERE call.outcome = 'rated' AND call.charge > 0 AND call.at > now() - interval '2 days'
            AND posted.amount IS DISTINCT FROM call.charge
    """):
        yield f"{number} calls of late were not charged by what they cost."
    if number := count("""
        SELECT count(*) FROM telephony_call call JOIN members_member member ON member.id = call.member_id
        WHERE call.at > now() - interval '2 days' AND member.organization_id <> call.organization_id
    """):
        yield f"{number} calls are of somebody of another organization."
