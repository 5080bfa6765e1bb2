//! What can be done about each kind of difference. Nothing of it is done here.

use schema::event::DifferenceClass;

/// What people can do.
pub(super) const fn of(class: DifferenceClass) -> &'static str {
    match class {
        DifferenceClass::Agreeing => "Nothing is to be done.",
        DifferenceClass::Repeated => {
            "The carrier counts a message more than once: dispute these lines with the carrier."
        }
        DifferenceClass::OnlyTheirs => {
            "No settled message of ours has this id. If a receipt of it is an orphan (table \
             dlr.orphans), run `tollbook reconcile`; otherwise dispute the line with the carrier."
        }
        DifferenceClass::OnlyOurs => {
            "We charged it and the carrier does not name it: ask the carrier. If it never was sent, \
             propose to give the customer the price back: POST /v1/admin/adjustments with its \
             messageId."
        }
        DifferenceClass::OtherStatus => {
            "The first final receipt decided the status, and it is recorded: dispute the line with \
             the carrier. If the receipt was wrong, propose an adjustment: POST \
             /v1/admin/adjustments with its messageId."
        }
        DifferenceClass::OtherCount => {
            "The day has another number of messages: ask the carrier for a statement by message and \
             compare that."
        }
        DifferenceClass::OtherSegments => {
            "Our side of the receipt is the source of truth for segments: dispute the line with the \
             carrier. If the message did have other segments, propose an adjustment: POST \
             /v1/admin/adjustments with its messageId."
        }
        DifferenceClass::OtherCost => {
            "If the carrier's price is right, correct the cost for that time: PATCH \
             /v1/admin/operator-costs/{id}, or POST /v1/admin/operator-costs where there was none; \
             otherwise dispute the line with the carrier."
        }
    }
}
