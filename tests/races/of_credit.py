"""What ``test_inventory`` knows of credit: each lock with its race and its control, and verbs that meet nobody."""

# As ``RACED`` there.
RACED = {
    "credit.allocating._lock_accounts": (
        "test_a_file_of_several_reasons_locks_everybody_in_it_before_the_wallet",
        "test_control_without_the_locks_a_file_and_a_recharge_wait_for_each_other",
    ),
    "credit.allocating._lock_members": (
        "test_whoever_leaves_while_credit_is_given_leaves_after_it",
        "test_control_without_the_lock_somebody_who_has_left_gets_credit",
    ),
    "credit.card_claims.lock_payment": (
        "test_a_refund_that_is_heard_of_while_its_payment_is_settled_is_not_lost",
        "test_control_without_the_turn_at_a_payment_its_refund_is_lost",
    ),
    "credit.card_payments.lock_charge": (
        "test_an_answer_and_a_message_that_settle_at_once_credit_once",
        "test_control_without_the_lock_of_the_charge_the_second_fails_in_the_database",
    ),
    "credit.card_payments.lock_checkout": (
        "test_a_message_and_a_look_at_once_credit_once",
        "test_control_without_the_locks_the_second_look_fails_in_the_database",
    ),
    "credit.demo._unsealed": (
        "test_two_who_add_credit_to_the_demo_company_at_once_add_it_once",
        "test_control_without_the_lock_the_demo_company_gets_its_credit_twice",
    ),
    "credit.funding.take_back": (
        "test_of_two_that_go_back_at_once_what_the_wallet_lacks_is_owed",
        "test_control_without_the_lock_of_the_wallet_the_second_that_goes_back_fails",
    ),
    "credit.invoicing.next_number": (
        "test_numbers_have_no_gaps_whoever_fails",
        "test_control_without_its_conflict_the_second_number_fails_in_the_database",
    ),
    "credit.closing._close_wallet": (
        "test_a_charge_while_its_organization_is_closed_comes_before_or_is_refused",
        "test_control_without_closing_its_wallet_credit_moves_in_a_closed_organization",
    ),
    "credit.ledger": (
        "test_as_many_are_accepted_as_the_wallet_covers",
        "test_control_without_row_locks_more_is_accepted_or_the_database_breaks_off",
    ),
    "credit.ledger.hold_open": (
        "test_a_refund_that_is_told_while_its_organization_is_closed_comes_before",
        "test_control_without_holding_it_open_a_refund_comes_to_nothing",
    ),
    "credit.ledger.account_of": (
        "test_an_account_that_two_ask_for_first_is_opened_once",
        "test_control_without_its_conflict_the_second_account_fails_in_the_database",
    ),
    "credit.ledger.accounts_of": (
        "test_two_who_set_auto_recharge_of_a_new_member_open_one_account",
        "test_control_without_its_conflict_one_of_two_who_set_auto_recharge_fails",
    ),
    "credit.purchases.lock_order": (
        "test_an_order_confirmed_while_it_is_canceled_is_one_of_both",
        "test_control_without_the_lock_a_canceled_order_is_paid",
    ),
    "credit.recharge_plans.activate": (
        "test_two_who_set_auto_recharge_of_a_new_member_open_one_account",
        "Whoever gives somebody a plan has locked their account, so only plans of before are met.",
    ),
    "credit.recharge_plans.lock_accounts": (
        "test_terms_changed_during_a_recharge_come_after_it",
        "test_control_without_the_locks_more_comes_than_either_terms_allow",
    ),
    "credit.recharging._locked_balance": (
        "test_of_two_whom_the_wallet_covers_once_one_is_recharged",
        "test_control_without_the_lock_of_the_wallet_one_of_two_fails",
    ),
    "credit.recharging.recharge": (
        "test_twenty_sweeps_at_once_recharge_once",
        "test_control_without_the_lock_sweeps_pass_the_limit",
    ),
    "credit.services.alert_letters": (
        "test_two_who_watch_a_wallet_at_once_write_to_each_person_once",
        "test_control_without_either_the_second_fails_in_the_database",
    ),
    "credit.services.alert_letters.tell_of_wallet": (
        "test_two_who_watch_a_wallet_at_once_write_to_each_person_once",
        "test_control_without_the_lock_both_tell_and_only_what_was_told_keeps_letters_from_going_twice",
    ),
    "credit.services.allocation._lock_accounts": (
        "test_whoever_leaves_while_credit_is_given_leaves_after_it",
        "test_control_without_the_lock_somebody_who_has_left_gets_credit",
    ),
    "credit.services.amounts._lock_review": (
        "test_a_file_that_is_carried_out_is_neither_given_up_nor_read_again",
        "test_control_without_the_lock_a_file_that_was_given_up_is_carried_out",
    ),
    "credit.services.card_checkouts.remove_card": (
        "test_auto_recharge_saved_while_its_card_is_removed_is_one_order_of_both",
        "test_control_without_the_lock_auto_recharge_is_on_without_a_card",
    ),
    "credit.services.card_lookups.claim_checkouts": (
        "test_two_who_look_at_once_look_at_each_checkout_once",
        "test_control_without_the_lock_two_look_at_one_checkout",
    ),
    "credit.services.idle_credit_work": (
        "test_ten_who_watch_at_once_warn_once_and_make_inactive_once",
        "test_control_without_its_conflict_the_second_who_warns_fails_in_the_database",
    ),
    "credit.services.idle_credit_work.make_some_inactive": (
        "test_ten_who_watch_at_once_warn_once_and_make_inactive_once",
        "test_control_without_the_lock_it_becomes_inactive_twice",
    ),
    "credit.services.orders._expire_some": (
        "test_an_order_that_expires_while_it_is_confirmed_is_one_of_both",
        "test_control_without_the_lock_an_order_that_was_paid_expires",
    ),
    "credit.services.wallet_recharge_work.claim_charge": (
        "test_two_workers_claim_a_charge_once",
        "test_control_without_the_lock_two_workers_have_the_same_charge",
    ),
    "credit.wallet_recharges.lock_plan": (
        "test_of_those_who_ask_for_a_charge_at_once_one_gets_it",
        "test_control_without_the_lock_of_the_plan_the_second_fails_in_the_database",
    ),
}

ONE_ROW = "one UPDATE with its condition, which the database carries out one after the other"
ADDS = "adds a row, and changes none"
PART = "a step of a larger verb, which is raced as a whole"
BY_JOB = "what a job does once for each period, by verbs that are raced"
BY_RUN = "claims its key as start_allocation does; what the run does to members is raced"
BY_CHARGE = "locks its charge as conclude_charge does, by the same function"
# As ``NOT_RACED`` there.
NOT_RACED = {
    "credit.alert_letters.send_digest": "one worker has the run of a job (jobs.claim_run); what is told, as by a watch",
    "credit.alert_letters.watch_wallets": PART,
    "credit.alert_letters.watch_wallets_task": PART,
    "credit.billing.change_billing": "locks its organization as change_alerts does, by the same function",
    "credit.billing.change_seller": ADDS,
    "credit.billing.record_vat_check": ADDS,
    "credit.card_lookups.forget_cards": PART,
    "credit.card_messages.purge_card_messages": "deletes what nobody changes any more; a second one finds it gone",
    "credit.card_messages.take_message": "raced as tell, which signs and reads the message before",
    "credit.idle_credit_work.forget_all": "deletes what counts for nothing where credit may lie for ever",
    "credit.idle_credit_work.forget_used": PART,
    "credit.idle_credit_work.make_some_inactive": PART,
    "credit.idle_credit_work.warn_some": PART,
    "credit.recharge.set_auto_recharge": "raced as plan, which names the terms",
    "credit.recharge.start_auto_recharge": BY_RUN,
    "credit.recharge.start_stopping_auto_recharge": BY_RUN,
    "credit.recharge_sweep.forget_calls": PART,
    "credit.recharge_sweep.recharge_members_task": PART,
    "credit.recharge_sweep.resume_recharges": BY_JOB,
    "credit.recharge_sweep.sweep_recharges": BY_JOB,
    "credit.wallet_recharge_work.carry_out": PART,
    "credit.wallet_recharge_work.give_up_charge": BY_CHARGE,
    "credit.wallet_recharge_work.look_after_cards_task": PART,
    "credit.wallet_recharge_work.note_failure": BY_CHARGE,
    "credit.wallet_recharge_work.note_silence": ONE_ROW,
    "credit.wallet_recharge_work.sweep_wallets": BY_JOB,
}
