"""The locks and verbs of ``telephony``, as ``test_inventory`` reads them."""

RACED = {
    "telephony.calls.partitions.make_months": (
        "test_two_feeds_of_a_month_that_nobody_knew_make_room_for_it_once",
        "The name of a partition is there once: without the lock the second fails in the database.",
    ),
    "credit.charging.give_back": (
        "test_two_who_rate_the_same_calls_again_at_once_post_once",
        "Whoever rates again holds the calls; accounts are locked by their keys, as those who post lock them.",
    ),
    "telephony.calls.rollups._upsert": (
        "test_two_feeds_at_once_add_up_and_charge_each_call_once",
        "A table that is written by one key: without its conflict the second fails.",
    ),
    "telephony.calls.rollups.add_differences": (
        "test_two_feeds_at_once_add_up_and_charge_each_call_once",
        "Whoever rebuilds sums holds the calls of the organization.",
    ),
    "telephony.calls.storing": (
        "test_two_feeds_at_once_add_up_and_charge_each_call_once",
        "A table that is written by one key: without its conflict the second fails.",
    ),
    "telephony.calls.storing.lock_calls": (
        "test_two_feeds_at_once_use_the_minutes_of_a_plan_up_once",
        "test_control_without_the_lock_two_feeds_use_the_same_minutes",
    ),
    "telephony.services.call_uploads.stop_upload": (
        "test_a_file_that_is_forgotten_while_somebody_imports_it_is_gone_and_they_are_told",
        "test_control_without_the_lock_an_import_is_confirmed_of_a_file_that_goes",
    ),
    "telephony.country_seeds.plant": (
        "test_a_disclaimer_accepted_twice_at_once_is_accepted_once",
        "It fills tables once, in a migration, where nobody else is.",
    ),
    "telephony.emergency.lock_address": (
        "test_of_two_changes_of_one_version_one_is_refused",
        "test_control_without_the_locks_the_second_change_fails_in_the_database",
    ),
    "telephony.emergency.use_addresses": (
        "test_an_address_stays_that_somebody_begins_to_use",
        "test_control_without_the_lock_somebody_is_found_at_an_address_that_is_gone",
    ),
    "telephony.feature_settings._require_own": (
        "test_a_number_that_is_given_back_while_somebody_shows_it_is_shown_no_more",
        "test_control_without_the_lock_a_number_is_shown_that_was_given_back",
    ),
    "telephony.holding": (
        "test_a_number_that_somebody_is_taking_is_left_out_and_not_waited_for",
        "test_control_without_the_lock_the_second_holder_fails_in_the_database",
    ),
    "telephony.holding.lock_held": (
        "test_acquired_while_it_is_let_go_is_one_of_both",
        "Whoever ends a reservation holds the organization, and the trigger of the number refuses a second end.",
    ),
    "telephony.holding.lock_reservations": (
        "test_a_reservation_that_is_let_go_while_its_end_is_seen_has_expired",
        "test_control_without_the_lock_a_reservation_ends_twice",
    ),
    "telephony.number_fees.pay_next_month": (
        "test_two_workers_who_renew_numbers_at_once_pay_them_once",
        "Whoever renews numbers holds their organization; the row is kept from those who load stock.",
    ),
    "telephony.porting.bring_in": (
        "test_numbers_brought_in_twice_at_once_come_in_once",
        "Whoever completes an order holds its organization; the row is kept from those who hold stock.",
    ),
    "telephony.porting.write_numbers": (
        "test_one_number_ordered_by_two_companies_at_once_has_one_order",
        "A table that is written by one key: without its conflict the second fails.",
    ),
    "telephony.postcodes.load": (
        "test_two_who_load_postal_codes_at_once_load_them_once",
        "A table that is written by one key: without its conflict the second fails.",
    ),
    "telephony.rate_loading.lock_deck": (
        "test_of_two_who_load_rates_at_once_the_second_comes_after_the_first",
        "test_control_without_the_lock_the_second_version_of_a_deck_fails_in_the_database",
    ),
    "telephony.services.prices.set_prices": (
        "test_two_who_set_a_price_at_once_leave_one",
        "A table that is written by one key: without its conflict the second fails.",
    ),
    "telephony.seating.lock_license": (
        "test_a_license_that_is_reduced_while_seats_are_assigned_keeps_enough",
        "test_control_without_the_lock_fewer_seats_are_renewed_than_are_taken",
    ),
    "telephony.seating.lock_licenses": (
        "test_the_last_seat_goes_to_one_of_many",
        "test_control_without_the_lock_the_database_alone_refuses_the_last_seat",
    ),
    "telephony.seating.lock_all_licenses": (
        "test_two_workers_who_renew_a_license_at_once_pay_it_once",
        "test_control_without_the_locks_the_second_renewal_fails_in_the_database",
    ),
    "telephony.services.acknowledgments.acknowledge_emergency_calls": (
        "test_two_clicks_at_once_say_once_that_it_was_read",
        "test_control_without_the_lock_two_clicks_say_it_twice",
    ),
    "telephony.services.disclaimers.publish_disclaimer": (
        "test_two_versions_published_at_once_have_two_numbers",
        "test_control_without_the_lock_the_second_version_fails_in_the_database",
    ),
    "telephony.services.numbers._lock": (
        "test_a_number_tagged_while_it_is_given_back_keeps_no_tag",
        "A tag refers to a number together with its owner, so the database takes none for what was given back.",
    ),
    "telephony.services.stock": (
        "test_numbers_loaded_by_two_at_once_are_there_once",
        "A table that is written by one key: without its conflict the second fails.",
    ),
}

PART = "a step of a larger verb, which is raced as a whole"
HOLDS = "holds the organization, and so comes before or after the other"
ONE_ROW = "one UPDATE with its condition, which the database carries out one after the other"
BY_PLACE = "locks the address as add_place does, by the same function"
BY_RUN = "claims its key as start_auto_recharge does; what the run does to seats is raced"
NOT_RACED = {
    "telephony.call_detail.note_look": "adds a line to the log, and asks nothing",
    "telephony.call_queues.assign_calls": "holds the calls of the organization, and asks again which of them wait",
    "telephony.call_queues.rate_waiting_calls": "holds the calls of the organization, and asks again which wait",
    "telephony.call_uploads.continue_upload": ONE_ROW,
    "telephony.call_upload_work.advance_at_once": PART,
    "telephony.call_upload_work.advance_uploads_task": PART,
    "telephony.call_upload_work.forget_tried": "forgets what import_upload does not find any more, in one statement",
    "telephony.call_work.make_room": PART,
    "telephony.call_work.make_room_ahead": "makes room as import_calls does, by the same function",
    "telephony.address_files.add_emergency_addresses": "adds as add_emergency_address does, by the same function",
    "telephony.disclaimers.change_country_rule": ONE_ROW,
    "telephony.feature_settings.set_own_feature": "holds the member, and so comes before or after the other",
    "telephony.license_work.free_seats_of_left": "ends seats as unassign_licenses does, by the same function",
    "telephony.license_work.note_unpaid": PART,
    "telephony.license_work.renew_licenses": PART,
    "telephony.license_work.renew_one": PART,
    "telephony.license_work.retry_licenses": PART,
    "telephony.licenses.buy_licenses": "raced by the function that tests buy with (licensed.buying)",
    "telephony.number_work.renew_numbers": PART,
    "telephony.numbers.untag_numbers": "locks numbers as tag_numbers does, by the same function",
    "telephony.porting.advance_port_order": HOLDS,
    "telephony.porting.change_port_order": "orders as order_port does, by the same function",
    "telephony.porting.move_port_order": HOLDS,
    "telephony.places.change_place": BY_PLACE,
    "telephony.places.remove_place": BY_PLACE,
    "telephony.quotas.set_number_quota": HOLDS,
    "telephony.reservation_work.expire_reservations": PART,
    "telephony.seats.assign_licenses": "raced by the function that tests assign with (licensed.assigning)",
    "telephony.seats.unassign_licenses": "raced by the function that tests take away with (licensed.unassigning)",
    "telephony.seats.start_assigning": BY_RUN,
    "telephony.seats.start_unassigning": BY_RUN,
    "telephony.rate_uploads.upload_rates": "adds a row that nobody else knows of",
    "telephony.rate_uploads.load_upload": "the same rates again change nothing, which the deck’s lock sees to",
    "telephony.rate_uploads.drop_upload": "what is gone already is not missed",
    "telephony.rate_work.forget_uploads": "what is gone already is not missed",
    "telephony.stock_work.count_stock": "writes what it has counted, which is what anybody would have counted",
}
