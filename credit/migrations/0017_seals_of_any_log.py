from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credit", "0016_idle_credit"), ("members", "0021_audit_seals")]
    operations = [
        migrations.RemoveConstraint(model_name="ledgerseal", name="ledger_seal_numbered"),
        migrations.RemoveConstraint(model_name="ledgerseal", name="ledger_seal_of_something"),
        migrations.RemoveConstraint(model_name="ledgerseal", name="ledger_seal_hash_shape"),
        migrations.RenameField(model_name="ledgerseal", old_name="transfers", new_name="rows"),
        migrations.AddConstraint(
            model_name="ledgerseal",
            constraint=models.UniqueConstraint(fields=["organization", "number"], name="ledgerseal_numbered"),
        ),
        migrations.AddConstraint(
            model_name="ledgerseal",
            constraint=models.CheckConstraint(
                condition=models.Q(number__gte=1, rows__gte=1), name="ledgerseal_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerseal",
            constraint=models.CheckConstraint(
                condition=models.Q(hash__regex="^[0-9a-f]{64}$"), name="ledgerseal_hash_shape"
            ),
        ),
    ]
