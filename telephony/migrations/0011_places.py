from django.db import migrations, models

from telephony.country_seeds import ask_for_places


def ask(apps, schema_editor):
    ask_for_places(apps.get_model("telephony", "CountryRule"))


class Migration(migrations.Migration):
    dependencies = [
        ("telephony", "0009_acknowledgments"),
    ]

    operations = [
        migrations.AddField(
            model_name="countryrule",
            name="place_needed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(ask, migrations.RunPython.noop),
    ]
