/** What a transaction of the application needs. */
export const submitInside = `
-- As submit, inside a transaction that must stay healthy: a key that another open transaction holds is waited for so long
-- only. Then one row with place -1 says so, and nothing was written.
CREATE FUNCTION {submit_inside}(
  p_timeout integer, p_project integer, p_now bigint, p_ids text[], p_queues text[], p_ranks integer[], p_delays bigint[],
  p_dues bigint[], p_lives bigint[], p_funcs text[], p_names text[], p_groups text[], p_kinds text[], p_parents text[],
  p_keys text[], p_untils text[], p_key_lives bigint[], p_envelopes text[]
) RETURNS TABLE (place integer, id text, created boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_before text := current_setting('lock_timeout');
BEGIN
  BEGIN
    PERFORM set_config('lock_timeout', p_timeout::text, true);
    RETURN QUERY SELECT s.place, s.id, s.created FROM {submit}(p_project, p_now, true, p_ids, p_queues, p_ranks, p_delays,
      p_dues, p_lives, p_funcs, p_names, p_groups, p_kinds, p_parents, p_keys, p_untils, p_key_lives, p_envelopes) s;
    PERFORM set_config('lock_timeout', v_before, true);
  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    place := -1;
    id := SQLERRM;
    created := false;
    RETURN NEXT;
  END;
END $$;
`;
