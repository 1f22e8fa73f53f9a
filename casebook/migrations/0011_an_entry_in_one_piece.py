"""What the save of a field asks, as functions: PostgreSQL plans their statements once for each connection.

Planning the joins of an entry costs ten times what reading them costs. What a prepared statement would do, a function
does behind PgBouncer too. Whole rows come as JSON, so a new column needs no new function. No name is qualified with
its schema: a page of an earlier moment hides the tables behind temporary ones (`audit.moment`).
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

ROWS = """
CREATE OR REPLACE FUNCTION public.casebook_rows_of(whose bigint) RETURNS TABLE (
  id bigint, form varchar, repeat smallint, "values" jsonb, entered_under_id bigint,
  code varchar, sequence smallint, happened_on date
) LANGUAGE plpgsql STABLE AS $body$
BEGIN
  RETURN QUERY
    SELECT e.id, e.form, e.repeat, e."values", e.entered_under_id, v.code, v.sequence, v.happened_on
    FROM casebook_entry e LEFT JOIN visits_visit v ON v.id = e.visit_id
    WHERE e.subject_id = whose AND NOT e.struck_out
    ORDER BY e.id;
END $body$
"""

# Cells are put in or taken out, unless the form was closed or completed or a cell is not what was seen (null: nothing).
# Gives the queries that are not closed; null where nothing was written.
PUT = """
CREATE OR REPLACE FUNCTION public.casebook_put_cells(
  key bigint, seen jsonb, put jsonb, gone text[], as_state text
) RETURNS json LANGUAGE plpgsql AS $body$
BEGIN
  UPDATE casebook_entry e
    SET "values" = (e."values" - gone) || put, state = as_state, version = e.version + 1,
        updated_at = statement_timestamp()
    WHERE e.id = key AND NOT e.locked AND NOT e.frozen AND (as_state = 'COMPLETE' OR e.state <> 'COMPLETE')
      AND NOT EXISTS (
        SELECT FROM jsonb_each(seen) s WHERE coalesce(e."values" -> s.key, 'null') <> s.value);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT coalesce(json_agg(q ORDER BY q.raised_at, q.id), '[]') FROM casebook_query q
          WHERE q.entry_id = key AND q.state <> 'CLOSED');
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
        migrations.RunSQL([ROWS], "DROP FUNCTION public.casebook_rows_of(bigint)"),
        migrations.RunSQL(
            [PUT], "DROP FUNCTION public.casebook_put_cells(bigint, jsonb, jsonb, text[], text)"
        ),
    ]
