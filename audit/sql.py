"""The part of the trail that lives in the database. Installed by `audit.installation` after every migration.

Everything here belongs to the role `hilum_audit`, which nobody can log in as, and runs with its rights; the
application's role may do no more than read the trail and ask for sealing.
"""

from __future__ import annotations

# What an update changed. Arrays of the keys that differ: result[1] before, result[2] after.
# A column that holds a JSON object on both sides is compared key by key, one level down.
CHANGES = """
CREATE OR REPLACE FUNCTION public.hilum_changes(old jsonb, new jsonb, deeper boolean) RETURNS jsonb[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  changed record;
  nested jsonb[];
  before jsonb := '{}';
  after jsonb := '{}';
BEGIN
  FOR changed IN
    SELECT key, o.value AS o, n.value AS n FROM jsonb_each(old) o FULL JOIN jsonb_each(new) n USING (key)
    WHERE o.value IS DISTINCT FROM n.value
  LOOP
    IF deeper AND jsonb_typeof(changed.o) = 'object' AND jsonb_typeof(changed.n) = 'object' THEN
      nested := public.hilum_changes(changed.o, changed.n, false);
      before := before || jsonb_build_object(changed.key, nested[1]);
      after := after || jsonb_build_object(changed.key, nested[2]);
    ELSE
      IF changed.o IS NOT NULL THEN before := before || jsonb_build_object(changed.key, changed.o); END IF;
      IF changed.n IS NOT NULL THEN after := after || jsonb_build_object(changed.key, changed.n); END IF;
    END IF;
  END LOOP;
  RETURN ARRAY[before, after];
END $body$
"""

# The text that an event's digest is made of, over a row `e` of the trail. Verification sends this very expression, so
# it trusts no function that somebody with more rights could have replaced. An event that is older than the columns
# `address` and `session` has nothing in them, and the text that it was recorded with.
CANONICAL_TEXT = """
    e.id || E'\\n' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || E'\\n'
    || e.transaction_id || E'\\n' || coalesce(e.actor_id::text, '') || E'\\n' || e.action || E'\\n'
    || coalesce(e.subject_id::text, '') || E'\\n'
    || (jsonb_build_array(e.table_name, e.row_id, e.actor, e.role, e.reason, e.origin, e.request_id)
        || CASE WHEN e.session IS NULL THEN '[]' ELSE jsonb_build_array(e.address, e.session) END)::text || E'\\n'
    || coalesce(e.before::text, '') || E'\\n' || coalesce(e.after::text, '')
"""
CANONICAL = f"""
CREATE OR REPLACE FUNCTION public.hilum_canonical(e public.audit_event) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $body$ SELECT {CANONICAL_TEXT} $body$
"""

# Arguments of the trigger: 0 key column, 1 where the subject stands, 2 masked columns separated by commas.
# 1 is '' (none), '.column' (in the row itself), or a query with the row as $1.
TRACK = """
CREATE OR REPLACE FUNCTION public.hilum_track() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  e public.audit_event;
  held jsonb;
  changes jsonb[];
  masked text;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW THEN
    RETURN NULL;
  END IF;
  e.actor := coalesce(current_setting('hilum.actor', true), '');
  IF e.actor = '' THEN
    RAISE EXCEPTION 'hilum: no actor' USING ERRCODE = 'insufficient_privilege',
      DETAIL = format('%s on %s outside of audit.context.acting', TG_OP, TG_TABLE_NAME);
  END IF;
  IF TG_OP <> 'INSERT' THEN e.before := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN e.after := to_jsonb(NEW); END IF;
  held := coalesce(e.after, e.before);
  e.row_id := held ->> TG_ARGV[0];
  IF TG_ARGV[1] LIKE '.%' THEN
    e.subject_id := (held ->> substr(TG_ARGV[1], 2))::bigint;
  ELSIF TG_ARGV[1] <> '' THEN
    EXECUTE TG_ARGV[1] INTO e.subject_id USING held;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    changes := public.hilum_changes(e.before, e.after, true);
    e.before := changes[1];
    e.after := changes[2];
  END IF;
  IF TG_ARGV[2] <> '' THEN
    FOREACH masked IN ARRAY string_to_array(TG_ARGV[2], ',') LOOP
      IF e.before ->> masked <> '' THEN e.before := e.before || jsonb_build_object(masked, '***'); END IF;
      IF e.after ->> masked <> '' THEN e.after := e.after || jsonb_build_object(masked, '***'); END IF;
    END LOOP;
  END IF;
  e.id := nextval('public.audit_event_id_seq');
  e.at := clock_timestamp();
  e.transaction_id := pg_current_xact_id()::text::bigint;
  e.actor_id := nullif(current_setting('hilum.actor_id', true), '')::bigint;
  e.role := coalesce(current_setting('hilum.role', true), '');
  e.action := left(TG_OP, 1);
  e.table_name := TG_TABLE_NAME;
  e.reason := coalesce(current_setting('hilum.reason', true), '');
  e.origin := coalesce(current_setting('hilum.origin', true), '');
  e.request_id := coalesce(current_setting('hilum.request', true), '');
  e.address := coalesce(current_setting('hilum.address', true), '');
  e.session := coalesce(current_setting('hilum.session', true), '');
  e.digest := sha256(convert_to(public.hilum_canonical(e), 'UTF8'));
  INSERT INTO public.audit_event SELECT e.*;
  RETURN NULL;
END $body$
"""

# TRUNCATE leaves no rows to record, and nothing may change the trail itself.
REFUSE = """
CREATE OR REPLACE FUNCTION public.hilum_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0]
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
END $body$
"""

# One more block: everything below the horizon under which no transaction runs any more. Returns the number of events.
# A cluster that was restored from a dump counts its transactions from the start again. The events that came with the
# dump unsealed then have numbers that nobody has reached yet: they are sealed first, as a block of their own.
SEAL = """
CREATE OR REPLACE FUNCTION public.hilum_seal() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  last public.audit_seal;
  s public.audit_seal;
  left_over bigint;
  horizon bigint;
  reached bigint;
  digests bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(1212763221);
  horizon := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  reached := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  SELECT * INTO last FROM public.audit_seal ORDER BY id DESC LIMIT 1;
  s.from_transaction := coalesce(last.until_transaction, 0);
  s.until_transaction := horizon;
  s.after_id := coalesce(last.after_id, 0);
  IF last.until_transaction > reached THEN
    SELECT max(transaction_id) + 1 INTO left_over FROM public.audit_event
      WHERE id > s.after_id AND transaction_id >= s.from_transaction;
    IF left_over IS NOT NULL THEN
      s.until_transaction := left_over;
    ELSE
      s.from_transaction := 0;
      SELECT max(last_id) INTO s.after_id FROM public.audit_seal;
    END IF;
  END IF;
  SELECT count(*), min(id), max(id), string_agg(digest, NULL ORDER BY id)
    INTO s.events, s.first_id, s.last_id, digests
    FROM public.audit_event
    WHERE id > s.after_id AND transaction_id >= s.from_transaction AND transaction_id < s.until_transaction;
  IF s.events = 0 THEN
    RETURN 0;
  END IF;
  s.at := clock_timestamp();
  s.previous := coalesce(last.digest, decode(repeat('00', 32), 'hex'));
  s.digest := sha256(s.previous || convert_to(format(
    '%s %s %s %s %s %s', s.after_id, s.from_transaction, s.until_transaction, s.first_id, s.last_id, s.events),
    'UTF8') || digests);
  s.id := nextval('public.audit_seal_id_seq');
  INSERT INTO public.audit_seal SELECT s.*;
  RETURN s.events;
END $body$
"""
