-- shown: every table that projections fill, as a number each
select array[
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from dlr.delivery_receipts t),
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from dlr.orphaned_receipts t),
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from dlr.orphan_resolutions t),
    (select count(*) || md5(string_agg(t::text, '|' order by message_id))
        from orch.sms_messages t)
]
