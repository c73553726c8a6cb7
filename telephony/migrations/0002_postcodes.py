from django.db import migrations


def load_what_is_known(apps, schema_editor):
    # So that a new installation corrects cities from the first address on. load_postcodes brings later editions.
    from telephony.postcodes import load, sources

    for country in sources():
        load(country)


class Migration(migrations.Migration):

    dependencies = [('telephony', '0001_addresses')]

    operations = [migrations.RunPython(load_what_is_known, migrations.RunPython.noop)]
