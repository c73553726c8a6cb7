import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


COUNT = """
DELETE FROM members_membertally;
INSERT INTO members_membertally (organization_id, everywhere, department_id, role, state, account_kind, number)
SELECT organization_id, grouping(department_id) = 1, department_id, role, state, account_kind, count(*)
FROM members_member GROUP BY GROUPING SETS (
    (organization_id, department_id, role, state, account_kind), (organization_id, role, state, account_kind));
"""


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0008_second_factors'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='member',
            name='tally_entered',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='member',
            name='tally_changed',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='member',
            name='tally_gone',
        ),
        migrations.AddField(
            model_name='membertally',
            name='everywhere',
            field=models.BooleanField(default=False),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='membertally',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.organization'),
        ),
        migrations.AddIndex(
            model_name='membertally',
            index=models.Index(fields=['organization', 'everywhere', 'department'], name='member_tally_by_department'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='member',
            trigger=pgtrigger.compiler.Trigger(name='tally_entered', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO members_membertally (everywhere, organization_id, department_id, role, state, account_kind, number)\n    SELECT grouping(department_id) = 1, organization_id, department_id, role, state, account_kind, sum(change) FROM (SELECT organization_id, department_id, role, state, account_kind, 1 AS change FROM entered) AS changes\n    GROUP BY GROUPING SETS ((organization_id, department_id, role, state, account_kind), (organization_id, role, state, account_kind)) HAVING sum(change) <> 0;\n    RETURN NULL;\n', hash='599a35bcf6914668b94b556034bcde8545339eb1', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_entered_57b4a', referencing='REFERENCING NEW TABLE AS entered ', table='members_member', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='member',
            trigger=pgtrigger.compiler.Trigger(name='tally_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO members_membertally (everywhere, organization_id, department_id, role, state, account_kind, number)\n    SELECT grouping(department_id) = 1, organization_id, department_id, role, state, account_kind, sum(change) FROM (SELECT organization_id, department_id, role, state, account_kind, 1 AS change FROM entered UNION ALL SELECT organization_id, department_id, role, state, account_kind, -1 AS change FROM gone) AS changes\n    GROUP BY GROUPING SETS ((organization_id, department_id, role, state, account_kind), (organization_id, role, state, account_kind)) HAVING sum(change) <> 0;\n    RETURN NULL;\n', hash='81f98890ef3d8d15bef50d4354917de02c752654', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tally_changed_bf9da', referencing='REFERENCING OLD TABLE AS gone  NEW TABLE AS entered ', table='members_member', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='member',
            trigger=pgtrigger.compiler.Trigger(name='tally_gone', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO members_membertally (everywhere, organization_id, department_id, role, state, account_kind, number)\n    SELECT grouping(department_id) = 1, organization_id, department_id, role, state, account_kind, sum(change) FROM (SELECT organization_id, department_id, role, state, account_kind, -1 AS change FROM gone) AS changes\n    GROUP BY GROUPING SETS ((organization_id, department_id, role, state, account_kind), (organization_id, role, state, account_kind)) HAVING sum(change) <> 0;\n    RETURN NULL;\n', hash='0c93a3e714fe5f327ce5336c883bf5f2d5c6b870', level='STATEMENT', operation='DELETE', pgid='pgtrigger_tally_gone_8a583', referencing='REFERENCING OLD TABLE AS gone ', table='members_member', when='AFTER')),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
