-- record_state: keeps how everything is as the state that must not change
-- $1 the fingerprint of the declaration of rights.
select tollbook_guard.record($1)
