"""Laboratories of sites with their ranges, as a function: PostgreSQL plans the joins once for each connection.

They are asked for with each laboratory value that somebody types, and planning costs most of it.
"""

from django.db import migrations

SERVING = """
CREATE OR REPLACE FUNCTION public.trials_laboratories_serving(sites bigint[], tests text[]) RETURNS TABLE (
  site_id bigint, laboratory_id bigint, code varchar, name varchar, range_id bigint, version int, test varchar,
  unit varchar, sex varchar, age_from smallint, age_to smallint, valid_from date, low varchar, high varchar
) LANGUAGE plpgsql STABLE AS $body$
BEGIN
  RETURN QUERY
    SELECT s.site_id, l.id, l.code, l.name,
           r.id, r.version, r.test, r.unit, r.sex, r.age_from, r.age_to, r.valid_from, r.low, r.high
    FROM trials_laboratory_sites s
    JOIN trials_laboratory l ON l.id = s.laboratory_id
    LEFT JOIN trials_referencerange r
      ON r.laboratory_id = l.id AND r.test = ANY(tests) AND r.withdrawn_at IS NULL
    WHERE s.site_id = ANY(sites)
    ORDER BY l.code, r.id;
END $body$
"""


class Migration(migrations.Migration):
    dependencies = [("trials", "0004_laboratories")]

    operations = [
        migrations.RunSQL([SERVING], "DROP FUNCTION public.trials_laboratories_serving(bigint[], text[])")
    ]
