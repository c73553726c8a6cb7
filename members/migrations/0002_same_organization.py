from django.db import migrations

# What belongs together belongs to one organization, and the database sees to it.
# Django can't declare these composite keys; the unique constraints they point to are in the models.
FENCES = [
    ("members_member", "department_id", "members_department", "member_department_same_organization"),
    ("members_department", "parent_id", "members_department", "department_parent_same_organization"),
    ("members_invitation", "member_id", "members_member", "invitation_member_same_organization"),
    ("members_invitation", "invited_by_id", "members_member", "invitation_inviter_same_organization"),
    ("members_letter", "member_id", "members_member", "letter_member_same_organization"),
    ("members_letter", "invitation_id", "members_invitation", "letter_invitation_same_organization"),
    ("members_auditentry", "actor_member_id", "members_member", "audit_actor_same_organization"),
    ("members_auditentry", "subject_member_id", "members_member", "audit_subject_same_organization"),
    ("members_batch", "started_by_id", "members_member", "batch_starter_same_organization"),
    ("members_batchrow", "batch_id", "members_batch", "batch_row_same_organization"),
    ("members_batchrow", "member_id", "members_member", "batch_row_member_same_organization"),
]


def add(table: str, column: str, target: str, name: str) -> str:
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
        f" DEFERRABLE INITIALLY DEFERRED"
    )


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [
        migrations.RunSQL(
            add(table, column, target, name), f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        )
        for table, column, target, name in FENCES
    ]
