import credit.models.ledger
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from telephony.product_seeds import plant

# What belongs together belongs to one organization, and the database sees to it.
LICENSE = "REFERENCES telephony_license (organization_id, id)"
MEMBER = "REFERENCES members_member (organization_id, id)"
FENCES = [
    ("telephony_license", "license_bought_by_same_organization", f"(organization_id, bought_by_id) {MEMBER}"),
    ("telephony_licenseperiod", "license_period_same_organization", f"(organization_id, license_id) {LICENSE}"),
    (
        "telephony_licenseperiod",
        "license_period_transfer_same_organization",
        "(organization_id, transfer_id) REFERENCES credit_transfer (organization_id, id)",
    ),
    (
        "telephony_licenseassignment",
        "seat_of_its_product_same_organization",
        "(organization_id, license_id, product_id) REFERENCES telephony_license (organization_id, id, product_id)",
    ),
    ("telephony_licenseassignment", "seat_member_same_organization", f"(organization_id, member_id) {MEMBER}"),
    ("telephony_licenseassignment", "seat_assigned_by_same_organization", f"(organization_id, assigned_by_id) {MEMBER}"),
    ("telephony_licenseassignment", "seat_ended_by_same_organization", f"(organization_id, ended_by_id) {MEMBER}"),
]


def fence(table: str, name: str, key: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY {key}", f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    )


def plant_products(apps, schema_editor):
    plant(apps.get_model("telephony", "Product"), apps.get_model("telephony", "ProductPrice"))


class Migration(migrations.Migration):

    dependencies = [
        ('credit', '0021_closed_wallets'),
        ('members', '0026_notices'),
        ('telephony', '0002_postcodes'),
    ]

    operations = [
        migrations.CreateModel(
            name='License',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
                ('renewed_quantity', models.PositiveIntegerField()),
                ('assigned', models.PositiveIntegerField(default=0)),
                ('months', models.PositiveSmallIntegerField(choices=[(1, '1 month'), (3, '3 months'), (12, '12 months')])),
                ('monthly_price', credit.models.ledger.AmountField(decimal_places=4, max_digits=16)),
                ('anchored_on', models.DateField()),
                ('began_on', models.DateField()),
                ('renews_on', models.DateField()),
                ('grace_since', models.DateTimeField(null=True)),
                ('asleep_since', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('bought_at', models.DateTimeField(auto_now_add=True)),
                ('bought_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='licenses', to='members.organization')),
            ],
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=40, unique=True)),
                ('opens_voice', models.BooleanField(default=False)),
                ('carries_calling_plan', models.BooleanField(default=False)),
                ('business_only', models.BooleanField(default=False)),
                ('settings', models.CharField(blank=True, choices=[('', 'None'), ('forwarding', 'Call forwarding'), ('caller_id', 'Caller ID'), ('connect', 'SIP profile')], max_length=12)),
                ('order', models.PositiveSmallIntegerField()),
                ('on_sale', models.BooleanField(default=True)),
                ('includes', models.ManyToManyField(related_name='included_in', to='telephony.product')),
                ('requires', models.ManyToManyField(related_name='required_by', to='telephony.product')),
            ],
        ),
        migrations.CreateModel(
            name='LicenseAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('assigned_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ending', models.CharField(blank=True, choices=[('unassigned', 'Taken away'), ('expired', 'The license ended'), ('requirement', 'What it requires ended'), ('left', 'Left the organization')], max_length=12)),
                ('assigned_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                ('ended_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                ('license', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='seats', to='telephony.license')),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='seats', to='members.member')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.organization')),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='telephony.product')),
            ],
        ),
        migrations.AddField(
            model_name='license',
            name='product',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='telephony.product'),
        ),
        migrations.CreateModel(
            name='ProductPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('monthly', credit.models.ledger.AmountField(decimal_places=4, max_digits=16)),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='telephony.product')),
            ],
        ),
        migrations.CreateModel(
            name='LicensePeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begins_on', models.DateField()),
                ('ends_before', models.DateField()),
                ('quantity', models.PositiveIntegerField()),
                ('amount', credit.models.ledger.AmountField(decimal_places=4, max_digits=16)),
                ('paid_at', models.DateTimeField(auto_now_add=True)),
                ('license', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='telephony.license')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.organization')),
                ('transfer', models.OneToOneField(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credit.transfer')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='license_period_in_organization'), models.UniqueConstraint(fields=('license', 'begins_on'), name='license_period_paid_once'), models.CheckConstraint(condition=models.Q(('begins_on__lt', models.F('ends_before'))), name='license_period_has_days'), models.CheckConstraint(condition=models.Q(('quantity__gte', 1)), name='license_period_has_seats'), models.CheckConstraint(condition=models.Q(models.Q(('amount', 0), ('transfer', None)), models.Q(('amount__gt', 0), ('transfer__isnull', False)), _connector='OR'), name='license_period_is_paid')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='licenseperiod',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7ce41c076f9212c30d2cd943a62b9a1011750ccd', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_aa3d4', table='telephony_licenseperiod', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z0-9]+(-[a-z0-9]+)*$')), name='product_code_shape'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('settings__in', ['', 'forwarding', 'caller_id', 'connect'])), name='product_settings_known'),
        ),
        migrations.AddIndex(
            model_name='licenseassignment',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['organization', 'product', 'member'], name='seats_of_product'),
        ),
        migrations.AddIndex(
            model_name='licenseassignment',
            index=models.Index(fields=['organization', 'member', 'id'], name='seats_of_member'),
        ),
        migrations.AddIndex(
            model_name='licenseassignment',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['license', 'id'], name='seats_of_license'),
        ),
        migrations.AddConstraint(
            model_name='licenseassignment',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='seat_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='licenseassignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('member', 'product'), name='seat_of_product_once'),
        ),
        migrations.AddConstraint(
            model_name='licenseassignment',
            constraint=models.CheckConstraint(condition=models.Q(('ending__in', ['', 'unassigned', 'expired', 'requirement', 'left'])), name='seat_ending_known'),
        ),
        migrations.AddConstraint(
            model_name='licenseassignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ending', '')), models.Q(('ended_at__gte', models.F('assigned_at')), models.Q(('ending', ''), _negated=True)), _connector='OR'), name='seat_ends_for_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='licenseassignment',
            trigger=pgtrigger.compiler.Trigger(name='stays_whose_it_is', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "organization_id", "product_id", "member_id" or delete rows from % table\', TG_TABLE_NAME;', hash='8e1e130a369eaed2fad5dfcb684a32221a2fdda0', operation='UPDATE OF "organization_id", "product_id", "member_id" OR DELETE', pgid='pgtrigger_stays_whose_it_is_5d792', table='telephony_licenseassignment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='licenseassignment',
            trigger=pgtrigger.compiler.Trigger(name='stays_ended', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.ended_at IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='62408a2593b7d3330313bdaf829ff2f34b9d8e50', operation='UPDATE', pgid='pgtrigger_stays_ended_5a480', table='telephony_licenseassignment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='licenseassignment',
            trigger=pgtrigger.compiler.Trigger(name='takes_seats', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    UPDATE telephony_license license SET assigned = license.assigned + changed.seats\n    FROM (\n        SELECT license_id, sum(seats) AS seats FROM (SELECT license_id, 1 AS seats FROM new_seats WHERE ended_at IS NULL) AS each GROUP BY license_id HAVING sum(seats) <> 0\n    ) AS changed WHERE license.id = changed.license_id;\n    RETURN NULL;\n', hash='84f2f95746b85dafd23e9bdf7017ea966c76609e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_takes_seats_dc877', referencing='REFERENCING NEW TABLE AS new_seats ', table='telephony_licenseassignment', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='licenseassignment',
            trigger=pgtrigger.compiler.Trigger(name='moves_seats', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    UPDATE telephony_license license SET assigned = license.assigned + changed.seats\n    FROM (\n        SELECT license_id, sum(seats) AS seats FROM (SELECT license_id, 1 AS seats FROM new_seats WHERE ended_at IS NULL UNION ALL SELECT license_id, -1 AS seats FROM old_seats WHERE ended_at IS NULL) AS each GROUP BY license_id HAVING sum(seats) <> 0\n    ) AS changed WHERE license.id = changed.license_id;\n    RETURN NULL;\n', hash='74fe9ec8c03eaa1453853d619c9c6a328da6cb71', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_moves_seats_76258', referencing='REFERENCING OLD TABLE AS old_seats  NEW TABLE AS new_seats ', table='telephony_licenseassignment', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='license',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['organization', 'product', 'id'], name='licenses_owned'),
        ),
        migrations.AddIndex(
            model_name='license',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['organization', 'renews_on', 'id'], name='licenses_to_renew'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='license_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.UniqueConstraint(fields=('organization', 'id', 'product'), name='license_of_product'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', 1)), name='license_has_seats'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('assigned__lte', models.F('quantity'))), name='license_seats_suffice'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('renewed_quantity__lte', models.F('quantity'))), name='license_renews_no_more'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('months__in', [1, 3, 12])), name='license_months_known'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('monthly_price__gte', 0)), name='license_price_not_below_zero'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('anchored_on__lte', models.F('began_on')), ('began_on__lt', models.F('renews_on'))), name='license_days_in_order'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('asleep_since', None), ('grace_since__isnull', False), _connector='OR'), name='license_sleeps_after_grace'),
        ),
        migrations.AddConstraint(
            model_name='license',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at', None), ('assigned', 0), _connector='OR'), name='license_ends_without_seats'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='license',
            trigger=pgtrigger.compiler.Trigger(name='stays_of_its_product', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "organization_id", "product_id" or delete rows from % table\', TG_TABLE_NAME;', hash='8eb1c6b2a38f24fe9cd8c6c14867637abfaf6738', operation='UPDATE OF "organization_id", "product_id" OR DELETE', pgid='pgtrigger_stays_of_its_product_3ec77', table='telephony_license', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='license',
            trigger=pgtrigger.compiler.Trigger(name='stays_ended', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.ended_at IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4449143790dd99d92d16af2506b9cbe4a777c386', operation='UPDATE', pgid='pgtrigger_stays_ended_80eb3', table='telephony_license', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='productprice',
            constraint=models.UniqueConstraint(fields=('product', 'currency'), name='product_price_of_currency_once'),
        ),
        migrations.AddConstraint(
            model_name='productprice',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='product_price_currency_shape'),
        ),
        migrations.AddConstraint(
            model_name='productprice',
            constraint=models.CheckConstraint(condition=models.Q(('monthly__gte', 0)), name='product_price_not_below_zero'),
        ),
        *(fence(*facts) for facts in FENCES),
        migrations.RunPython(plant_products, migrations.RunPython.noop),
    ]
