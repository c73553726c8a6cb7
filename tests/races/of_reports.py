"""The locks and verbs of ``reports``, as ``test_inventory`` reads them."""

RACED = {
    "reports.services.report_letters": (
        "test_two_workers_who_send_reports_at_once_write_each_letter_once",
        "test_control_without_its_conflict_the_second_fails_in_the_database",
    ),
}

OWN_ROW = "locks its organization as change_alerts does, by the same function"
NOT_RACED = {
    "reports.saved_reports.save_report": OWN_ROW,
    "reports.saved_reports.change_report": OWN_ROW,
    "reports.saved_reports.delete_report": OWN_ROW,
    "reports.saved_reports.stop_report": OWN_ROW,
}
