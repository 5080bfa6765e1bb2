-- plant
-- $1 bytes that show a mark, where no mark belongs.
INSERT INTO eventlog.master_key (version, check_value) VALUES (99, $1)
