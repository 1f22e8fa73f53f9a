"""Refusals of the database itself: what is locked as a site or a study, or withdrawn from edit access, is written by no
path; two persons unlock a place, and a lock covers every casebook.

`casebook.gates` puts the gate before each table that belongs to subjects, those of upper rooms as well.
"""

from django.db import migrations

from audit.guards import refuse_when

REFUSE = "USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
ACTOR = "nullif(current_setting('hilum.actor_id', true), '')"

# Whoever writes holds the place shared until the end of the transaction, and whoever locks it needs it alone: a write
# comes before the lock, which then sees it, or after it, and is refused.
OPEN = f"""
CREATE OR REPLACE FUNCTION public.casebook_place_is_open(at_trial bigint, at_site bigint, relation text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  sentence text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(at_trial::int, at_site::int);
  SELECT CASE WHEN l.open_until IS NULL
      THEN format('%s is locked since %s. Nothing is written there until two persons have unlocked it.',
                  coalesce(s.name || ', ' || t.code || ',', 'The study ' || t.code),
                  to_char(l.made_at AT TIME ZONE 'UTC', 'FMDD Mon YYYY'))
      ELSE format('%s is locked again: the time for changes is over.',
                  coalesce(s.name || ', ' || t.code || ',', 'The study ' || t.code)) END
    INTO sentence
    FROM public.casebook_placelock l JOIN public.trials_trial t ON t.id = l.trial_id
    LEFT JOIN public.trials_site s ON s.id = l.site_id
    WHERE l.trial_id = at_trial AND (l.site_id IS NULL OR l.site_id = at_site) AND l.ended_at IS NULL
      AND (l.open_until IS NULL OR l.open_until <= clock_timestamp())
    ORDER BY l.site_id NULLS FIRST LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '%', sentence
      USING ERRCODE = 'check_violation', CONSTRAINT = 'a_locked_place_takes_no_write', TABLE = relation;
  END IF;
  IF {ACTOR} IS NULL THEN
    RETURN;
  END IF;
  SELECT format('Edit access to %s was withdrawn on %s UTC: %s.', t.code || coalesce(' at ' || nullif(e.site, ''), ''),
                to_char(e.starts AT TIME ZONE 'UTC', 'FMDD Mon YYYY, HH24:MI'), rtrim(e.reason, '.'))
    INTO sentence
    FROM public.accounts_editstop e JOIN public.trials_trial t ON t.code = e.trial
    JOIN public.trials_site s ON s.id = at_site
    WHERE t.id = at_trial AND e.site IN ('', s.code) AND e.starts <= clock_timestamp() AND (e.ends IS NULL OR e.ends > clock_timestamp())
    ORDER BY e.site LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '%', sentence
      USING ERRCODE = 'check_violation', CONSTRAINT = 'without_edit_access_nothing_is_written', TABLE = relation;
  END IF;
END $body$
"""  # noqa: S608 - our own text

GATE = """
CREATE OR REPLACE FUNCTION public.casebook_place_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  held jsonb;
  whose bigint;
BEGIN
  IF TG_ARGV[0] = 'place' THEN
    IF TG_OP <> 'DELETE' THEN
      PERFORM public.casebook_place_is_open(NEW.trial_id, NEW.site_id, TG_TABLE_NAME);
    END IF;
    IF TG_OP <> 'INSERT' THEN
      PERFORM public.casebook_place_is_open(OLD.trial_id, OLD.site_id, TG_TABLE_NAME);
    END IF;
  ELSIF TG_ARGV[0] = 'subject' THEN
    IF TG_OP <> 'DELETE' THEN
      PERFORM public.casebook_place_is_open(s.trial_id, s.site_id, TG_TABLE_NAME)
        FROM public.patients_subject s WHERE s.id = NEW.subject_id;
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND OLD.subject_id IS DISTINCT FROM NEW.subject_id THEN
      PERFORM public.casebook_place_is_open(s.trial_id, s.site_id, TG_TABLE_NAME)
        FROM public.patients_subject s WHERE s.id = OLD.subject_id;
    END IF;
  ELSE
    FOREACH held IN ARRAY CASE TG_OP WHEN 'INSERT' THEN ARRAY[to_jsonb(NEW)] WHEN 'DELETE' THEN ARRAY[to_jsonb(OLD)]
                          ELSE ARRAY[to_jsonb(NEW), to_jsonb(OLD)] END LOOP
      EXECUTE TG_ARGV[0] INTO whose USING held;
      PERFORM public.casebook_place_is_open(s.trial_id, s.site_id, TG_TABLE_NAME)
        FROM public.patients_subject s WHERE s.id = whose;
    END LOOP;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END $body$
"""

# A casebook is closed when its closure stands and no form of it is open; one that holds no form only after its subject
# failed screening.
CLOSED = """
CREATE OR REPLACE FUNCTION public.casebook_is_closed(whose bigint) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
  SELECT NOT EXISTS (SELECT FROM public.casebook_entry e WHERE e.subject_id = whose AND NOT e.locked)
    AND (EXISTS (SELECT FROM public.casebook_closure c
                 WHERE c.subject_id = whose AND c.visit_id IS NULL AND c.ended_at IS NULL)
         OR NOT EXISTS (SELECT FROM public.casebook_entry e WHERE e.subject_id = whose)
            AND EXISTS (SELECT FROM public.patients_subject s WHERE s.id = whose AND s.status = 'SCREEN_FAILURE'))
$body$
"""

LOCK = f"""
CREATE OR REPLACE FUNCTION public.casebook_placelock_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'What was locked stays known.' {REFUSE};
  END IF;
  IF NEW.site_id IS NOT NULL AND EXISTS (
      SELECT FROM public.casebook_placelock l WHERE l.trial_id = NEW.trial_id AND l.site_id IS NULL
        AND l.ended_at IS NULL AND (l.open_until IS NULL OR l.open_until <= now())) THEN
    RAISE EXCEPTION 'The study is unlocked before one of its sites.' {REFUSE};
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF to_jsonb(NEW) - ARRAY['open_until', 'ended_at'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['open_until', 'ended_at']
       OR OLD.ended_at IS NOT NULL
       OR NEW.ended_at IS NOT NULL AND pg_trigger_depth() < 2 THEN
      RAISE EXCEPTION 'What was locked stays known.' {REFUSE};
    END IF;
    IF NEW.open_until IS DISTINCT FROM OLD.open_until AND NOT EXISTS (
        SELECT FROM public.casebook_placeunlock u
        WHERE u.lock_id = OLD.id AND u.state = 'APPROVED' AND u.ends_at = NEW.open_until) THEN
      RAISE EXCEPTION 'Two persons unlock a site or a study, for a time.' {REFUSE};
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.made_by_id::text IS DISTINCT FROM {ACTOR} OR NEW.open_until IS NOT NULL OR NEW.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'Whoever locks does it under their own name.' {REFUSE};
  END IF;
  IF NEW.site_id IS NOT NULL THEN
    IF EXISTS (SELECT FROM public.patients_subject s WHERE s.trial_id = NEW.trial_id AND s.site_id = NEW.site_id
               AND NOT public.casebook_is_closed(s.id)) THEN
      RAISE EXCEPTION 'A site is locked when every casebook is.' {REFUSE};
    END IF;
  ELSIF EXISTS (
      SELECT FROM public.trials_trialsite p WHERE p.trial_id = NEW.trial_id AND NOT EXISTS (
        SELECT FROM public.casebook_placelock l WHERE l.trial_id = p.trial_id AND l.site_id = p.site_id
          AND l.ended_at IS NULL AND l.open_until IS NULL)) THEN
    RAISE EXCEPTION 'A study is locked when every site is.' {REFUSE};
  END IF;
  UPDATE public.casebook_placelock SET ended_at = now()
    WHERE trial_id = NEW.trial_id AND site_id IS NOT DISTINCT FROM NEW.site_id AND ended_at IS NULL
      AND open_until IS NOT NULL;
  RETURN NEW;
END $body$
"""  # noqa: S608 - our own text


def function(text: str, name: str) -> migrations.RunSQL:
    """A function, and how it goes again."""
    return migrations.RunSQL(sql=[text], reverse_sql=f"DROP FUNCTION public.{name} CASCADE")


class Migration(migrations.Migration):
    dependencies = [
        ("casebook", "0012_locked_places"),
        ("accounts", "0005_edit_stop"),
        ("audit", "0001_initial"),
    ]

    operations = [
        function(OPEN, "casebook_place_is_open(bigint, bigint, text)"),
        function(GATE, "casebook_place_gate()"),
        function(CLOSED, "casebook_is_closed(bigint)"),
        function(LOCK, "casebook_placelock_gate()"),
        migrations.RunSQL(
            sql='CREATE OR REPLACE TRIGGER "a_place_is_locked_by_its_rules" BEFORE INSERT OR UPDATE OR DELETE'
            " ON public.casebook_placelock FOR EACH ROW EXECUTE FUNCTION public.casebook_placelock_gate()",
            reverse_sql='DROP TRIGGER "a_place_is_locked_by_its_rules" ON public.casebook_placelock',
        ),
        refuse_when(
            "unlocking_a_place_is_asked_for_by_its_actor",
            table="casebook_placeunlock",
            event="INSERT",
            condition=f"NEW.state <> 'ASKED' OR NEW.asked_by_id::text IS DISTINCT FROM {ACTOR}",
            message="Whoever asks to unlock does it under their own name.",
        ),
        refuse_when(
            "unlocking_a_place_is_answered_by_its_actor",
            table="casebook_placeunlock",
            event="UPDATE",
            condition=(
                "OLD.state <> 'ASKED' OR (NEW.lock_id, NEW.reason, NEW.hours, NEW.asked_by_id) IS DISTINCT FROM"
                " (OLD.lock_id, OLD.reason, OLD.hours, OLD.asked_by_id)"
                f" OR NEW.decided_by_id::text IS DISTINCT FROM {ACTOR}"
            ),
            message="An answer to unlocking is given once, by a second person, under their own name.",
        ),
        refuse_when(
            "unlocking_a_place_is_never_deleted",
            table="casebook_placeunlock",
            event="DELETE",
            condition="true",
            message="Who unlocked what stays known.",
        ),
    ]
