"""Refusals of the database itself: two persons unlock, what is locked is written by no path, a change takes the
signature back.

Guards with a look at another table are functions; they run with the rights of whoever writes.
"""

from django.db import migrations

from audit.guards import refuse_when

REFUSE = "USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"

SAID = """
CREATE OR REPLACE FUNCTION public.casebook_said(cells jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $body$
  SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value) WHEN 'object' THEN value - 'confirmed' ELSE value END),
                  '{}'::jsonb)
  FROM jsonb_each(cells)
  WHERE CASE jsonb_typeof(value) WHEN 'object' THEN value - 'confirmed' <> '{}'::jsonb ELSE true END
$body$
"""

# What was approved reaches a form when it names the form, its visit, or the whole casebook.
REACHES = """
CREATE OR REPLACE FUNCTION public.casebook_may_open(
  whose bigint, at_visit bigint, which bigint, until timestamptz) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
  SELECT EXISTS (
    SELECT FROM public.casebook_unlock u
    WHERE u.subject_id = whose AND u.state = 'APPROVED' AND (until IS NULL OR u.ends_at = until)
      AND (u.entry_id IS NULL OR u.entry_id = which)
      AND (u.entry_id IS NOT NULL OR u.visit_id IS NULL OR u.visit_id = at_visit))
$body$
"""

ENTRY = f"""
CREATE OR REPLACE FUNCTION public.casebook_entry_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  free constant text[] := ARRAY['entered_under_id'];
  changed boolean;
BEGIN
  changed := (public.casebook_said(OLD."values"), OLD.state, OLD.not_done, OLD.struck_out) IS DISTINCT FROM
             (public.casebook_said(NEW."values"), NEW.state, NEW.not_done, NEW.struck_out);
  IF OLD.locked AND NEW.locked THEN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
      RAISE EXCEPTION 'A locked form is not written.' {REFUSE};
    END IF;
  ELSIF OLD.locked THEN
    IF changed THEN
      RAISE EXCEPTION 'A locked form is unlocked first, and changed then.' {REFUSE};
    END IF;
    IF NEW.unlocked_until IS NULL
       OR NOT public.casebook_may_open(OLD.subject_id, OLD.visit_id, OLD.id, NEW.unlocked_until) THEN
      RAISE EXCEPTION 'Two persons unlock a form, for a time.' {REFUSE};
    END IF;
  ELSIF NEW.unlocked_until IS DISTINCT FROM OLD.unlocked_until AND NEW.unlocked_until IS NOT NULL
        AND NOT public.casebook_may_open(OLD.subject_id, OLD.visit_id, OLD.id, NEW.unlocked_until) THEN
    RAISE EXCEPTION 'Two persons unlock a form, for a time.' {REFUSE};
  END IF;
  IF OLD.unlocked_until IS NOT NULL AND NEW.unlocked_until IS NULL AND NOT NEW.locked THEN
    RAISE EXCEPTION 'What was unlocked for a time is locked again.' {REFUSE};
  END IF;
  IF changed AND OLD.frozen THEN
    RAISE EXCEPTION 'A frozen form is not written.' {REFUSE};
  END IF;
  IF changed AND OLD.unlocked_until <= now() THEN
    RAISE EXCEPTION 'The time for changes is over.' {REFUSE};
  END IF;
  IF changed AND OLD.signing = 'SIGNED' THEN
    NEW.signing := 'AGAIN';
  ELSIF NEW.signing = 'SIGNED' AND OLD.signing <> 'SIGNED' AND NOT EXISTS (
      SELECT FROM public.casebook_signedrecord r WHERE r.subject_id = OLD.subject_id
        AND r.manifest @> jsonb_build_array(jsonb_build_object('entry', OLD.id))) THEN
    RAISE EXCEPTION 'A form is signed by a person.' {REFUSE};
  END IF;
  RETURN NEW;
END $body$
"""

OPENING = f"""
CREATE OR REPLACE FUNCTION public.casebook_opening_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF EXISTS (SELECT FROM public.casebook_closure c WHERE c.subject_id = NEW.subject_id AND c.ended_at IS NULL
             AND (c.visit_id IS NULL OR c.visit_id = NEW.visit_id)) THEN
    RAISE EXCEPTION 'Nothing is opened in what is locked.' {REFUSE};
  END IF;
  RETURN NEW;
END $body$
"""

BESIDE = f"""
CREATE OR REPLACE FUNCTION public.casebook_beside_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF EXISTS (SELECT FROM public.casebook_entry e WHERE e.id = NEW.entry_id AND e.locked) THEN
    RAISE EXCEPTION 'A locked form takes no query, review or verification.' {REFUSE};
  END IF;
  RETURN NEW;
END $body$
"""

MESSAGE = f"""
CREATE OR REPLACE FUNCTION public.casebook_message_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF EXISTS (SELECT FROM public.casebook_query q JOIN public.casebook_entry e ON e.id = q.entry_id
             WHERE q.id = NEW.query_id AND e.locked) THEN
    RAISE EXCEPTION 'A locked form takes no query, review or verification.' {REFUSE};
  END IF;
  RETURN NEW;
END $body$
"""

CLOSURE = f"""
CREATE OR REPLACE FUNCTION public.casebook_closure_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF OLD.ended_at IS NOT NULL OR (NEW.subject_id, NEW.visit_id) IS DISTINCT FROM (OLD.subject_id, OLD.visit_id)
     OR NOT public.casebook_may_open(OLD.subject_id, OLD.visit_id, NULL, NULL) THEN
    RAISE EXCEPTION 'Two persons unlock a visit or a casebook.' {REFUSE};
  END IF;
  RETURN NEW;
END $body$
"""

ACTOR = "nullif(current_setting('hilum.actor_id', true), '')"


def function(text: str, name: str) -> migrations.RunSQL:
    """A function, and how it goes again."""
    return migrations.RunSQL(sql=[text], reverse_sql=f"DROP FUNCTION public.{name}")


def gate(name: str, table: str, event: str, procedure: str) -> migrations.RunSQL:
    """A trigger that asks a function before each row."""
    return migrations.RunSQL(
        sql=f'CREATE OR REPLACE TRIGGER "{name}" BEFORE {event} ON public."{table}" FOR EACH ROW'
        f" EXECUTE FUNCTION public.{procedure}()",
        reverse_sql=f'DROP TRIGGER "{name}" ON public."{table}"',
    )


class Migration(migrations.Migration):
    dependencies = [("casebook", "0006_states_and_signatures"), ("audit", "0001_initial")]

    operations = [
        function(SAID, "casebook_said(jsonb)"),
        function(REACHES, "casebook_may_open(bigint, bigint, bigint, timestamptz)"),
        function(ENTRY, "casebook_entry_gate()"),
        function(OPENING, "casebook_opening_gate()"),
        function(BESIDE, "casebook_beside_gate()"),
        function(MESSAGE, "casebook_message_gate()"),
        function(CLOSURE, "casebook_closure_gate()"),
        gate("states_of_an_entry", "casebook_entry", "UPDATE", "casebook_entry_gate"),
        gate("nothing_is_opened_in_what_is_locked", "casebook_entry", "INSERT", "casebook_opening_gate"),
        gate("no_query_on_a_locked_entry", "casebook_query", "INSERT OR UPDATE", "casebook_beside_gate"),
        gate("no_message_on_a_locked_entry", "casebook_querymessage", "INSERT", "casebook_message_gate"),
        gate("no_verification_of_a_locked_entry", "casebook_verification", "INSERT", "casebook_beside_gate"),
        gate("no_review_of_a_locked_entry", "casebook_review", "INSERT", "casebook_beside_gate"),
        gate("two_persons_end_a_closure", "casebook_closure", "UPDATE", "casebook_closure_gate"),
        refuse_when(
            "closure_stays",
            table="casebook_closure",
            event="DELETE",
            condition="true",
            message="Two persons unlock a visit or a casebook.",
        ),
        refuse_when(
            "unlock_is_asked_for_by_its_actor",
            table="casebook_unlock",
            event="INSERT",
            condition=f"NEW.state <> 'ASKED' OR NEW.asked_by_id::text IS DISTINCT FROM {ACTOR}",
            message="Whoever asks to unlock does it under their own name.",
        ),
        refuse_when(
            "unlock_is_answered_by_its_actor",
            table="casebook_unlock",
            event="UPDATE",
            condition=(
                "OLD.state <> 'ASKED' OR (NEW.subject_id, NEW.visit_id, NEW.entry_id, NEW.reason, NEW.hours,"
                " NEW.asked_by_id) IS DISTINCT FROM (OLD.subject_id, OLD.visit_id, OLD.entry_id, OLD.reason,"
                f" OLD.hours, OLD.asked_by_id) OR NEW.decided_by_id::text IS DISTINCT FROM {ACTOR}"
            ),
            message="An answer to unlocking is given once, by a second person, under their own name.",
        ),
        refuse_when(
            "unlock_is_never_deleted",
            table="casebook_unlock",
            event="DELETE",
            condition="true",
            message="Who unlocked what stays known.",
        ),
    ]
