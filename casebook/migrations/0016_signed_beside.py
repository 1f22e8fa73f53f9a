"""The statement that puts cells into a form also tells which of the subject's other forms are signed, or complete.

A change may have to take their signatures back, and their checks to look again; asking apart would cost every save a
statement.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("casebook.migrations.0011_an_entry_in_one_piece").PUT

PUT = """
CREATE OR REPLACE FUNCTION public.casebook_put_cells(
  key bigint, seen jsonb, put jsonb, gone text[], as_state text
) RETURNS json LANGUAGE plpgsql AS $body$
DECLARE
  whose bigint;
BEGIN
  UPDATE casebook_entry e
    SET "values" = (e."values" - gone) || put, state = as_state, version = e.version + 1,
        updated_at = statement_timestamp()
    WHERE e.id = key AND NOT e.locked AND NOT e.frozen AND (as_state = 'COMPLETE' OR e.state <> 'COMPLETE')
      AND NOT EXISTS (
        SELECT FROM jsonb_each(seen) s WHERE coalesce(e."values" -> s.key, 'null') <> s.value)
    RETURNING e.subject_id INTO whose;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN json_build_object(
    'queries', (SELECT coalesce(json_agg(q ORDER BY q.raised_at, q.id), '[]') FROM casebook_query q
                WHERE q.entry_id = key AND q.state <> 'CLOSED'),
    'beside', (SELECT json_build_object(
                 'signed', coalesce(json_agg(DISTINCT e.form) FILTER (WHERE e.signing = 'SIGNED'), '[]'),
                 'complete', coalesce(json_agg(DISTINCT e.form) FILTER (WHERE e.state = 'COMPLETE'), '[]'))
               FROM casebook_entry e WHERE e.subject_id = whose AND e.id <> key AND NOT e.locked));
END $body$
"""


class Migration(migrations.Migration):
    dependencies = [("casebook", "0015_content_version")]

    operations = [migrations.RunSQL([PUT], [BEFORE])]
