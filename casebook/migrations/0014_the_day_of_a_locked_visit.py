"""A visit with something locked or frozen in it keeps its day: every value of its forms is dated by it."""

from django.db import migrations

REFUSE = "USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"

GATE = f"""
CREATE OR REPLACE FUNCTION public.casebook_visit_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF EXISTS (SELECT FROM public.casebook_closure c WHERE c.subject_id = OLD.subject_id AND c.ended_at IS NULL
             AND (c.visit_id IS NULL OR c.visit_id = OLD.id))
     OR EXISTS (SELECT FROM public.casebook_entry e WHERE e.visit_id = OLD.id AND (e.locked OR e.frozen)) THEN
    RAISE EXCEPTION 'Something of this visit is locked or frozen, so its day stays. Open it again first.' {REFUSE};
  END IF;
  RETURN NEW;
END $body$
"""  # noqa: S608 - our own text

TRIGGER = """
CREATE OR REPLACE TRIGGER the_day_of_a_locked_visit_stays BEFORE UPDATE ON public.visits_visit FOR EACH ROW
WHEN (OLD.happened_on IS DISTINCT FROM NEW.happened_on) EXECUTE FUNCTION public.casebook_visit_gate()
"""


class Migration(migrations.Migration):
    dependencies = [("casebook", "0013_guards_of_places"), ("visits", "0001_initial")]

    operations = [
        migrations.RunSQL([GATE], "DROP FUNCTION public.casebook_visit_gate()"),
        migrations.RunSQL([TRIGGER], "DROP TRIGGER the_day_of_a_locked_visit_stays ON public.visits_visit"),
    ]
