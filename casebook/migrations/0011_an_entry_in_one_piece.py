"""An entry with all that it belongs to, read by a function: PostgreSQL plans the joins once for each connection.

Planning them costs ten times what reading them costs, and each save of a field reads its entry. What a prepared
statement would do, a function does behind PgBouncer too. The rows come as JSON, so a new column needs no new function.
"""

from django.db import migrations

WHOLE = """
CREATE OR REPLACE FUNCTION public.casebook_entry_whole(key bigint) RETURNS json LANGUAGE plpgsql STABLE AS $body$
BEGIN
  RETURN (
    SELECT json_build_object(
      'entry', to_json(e), 'visit', to_json(v), 'subject', to_json(s), 'trial', to_json(t), 'site', to_json(h),
      'version', json_build_object('id', p.id, 'trial_id', p.trial_id, 'label', p.label, 'sha256', p.sha256,
        'effective_from', p.effective_from, 'state', p.state, 'published_at', p.published_at, 'lineage', p.lineage))
    FROM casebook_entry e
    JOIN patients_subject s ON s.id = e.subject_id
    JOIN trials_trial t ON t.id = s.trial_id
    JOIN trials_site h ON h.id = s.site_id
    JOIN trials_protocolversion p ON p.id = s.version_id
    LEFT JOIN visits_visit v ON v.id = e.visit_id
    WHERE e.id = key);
END $body$
"""

# Without a code: in the running logs.
AT = """
CREATE OR REPLACE FUNCTION public.casebook_entry_at(
  of_subject text, at_visit text, at_sequence int, of_form text, of_repeat int
) RETURNS json LANGUAGE plpgsql STABLE AS $body$
BEGIN
  RETURN public.casebook_entry_whole((
    SELECT e.id FROM casebook_entry e
    JOIN patients_subject s ON s.id = e.subject_id
    LEFT JOIN visits_visit v ON v.id = e.visit_id
    WHERE s.number = of_subject AND e.form = of_form AND e.repeat = of_repeat
      AND CASE WHEN at_visit IS NULL THEN e.visit_id IS NULL
               ELSE v.code = at_visit AND v.sequence = at_sequence END));
END $body$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("casebook", "0010_what_was_locked"),
        ("patients", "0001_initial"),
        ("trials", "0001_initial"),
        ("visits", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL([WHOLE], "DROP FUNCTION public.casebook_entry_whole(bigint)"),
        migrations.RunSQL([AT], "DROP FUNCTION public.casebook_entry_at(text, text, int, text, int)"),
    ]
