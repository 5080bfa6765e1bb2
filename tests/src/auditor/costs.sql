-- auditor costs
-- Every version of a cost as the projection shows it; it has no tier and no model.
SELECT operator_cost_id, NULL::uuid, operator_id, '', direction, currency::text, '',
       array_to_string(ARRAY(SELECT unnest(due_statuses) COLLATE "C" ORDER BY 1), ','),
       cost_per_segment::text, effective_from, effective_to, created_by, created_at
FROM billing.operator_costs
WHERE log_id = $1
