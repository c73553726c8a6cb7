from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("telephony", "0011_rate_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name="countryrule",
            name="place_needed",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
