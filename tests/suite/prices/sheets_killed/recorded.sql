-- recorded: how many prices were opened, and how many sheets applied
select count(*) filter (where type = 'PriceOpened'), count(*) filter (where type = 'PriceSheetApplied')
from eventlog.event
where category in ('price', 'sheet')
