-- look_at_window: whether a change window is open, and which declaration of rights is in force
-- No parameters.
select
    tollbook_guard.window_is_open() as is_open,
    (select d.fingerprint from tollbook_guard.declaration d limit 1) as fingerprint
