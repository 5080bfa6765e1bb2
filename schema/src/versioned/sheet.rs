//! Sheets: many versions of one kind at once, as people keep them in tables.

use super::{Cost, Price, Versioned};
use crate::{
    Event,
    event::{CostSheetApplied, PriceSheetApplied, SheetFacts},
};

/// A kind of versions that sheets are made of.
pub trait Sheeted: Versioned {
    /// The word for such a sheet; ids are derived from it, so it never changes.
    const SHEET: &'static str;

    /// The event that says that such a sheet was applied.
    fn applied(sheet: SheetFacts) -> Event;

    /// What `event` says of such a sheet, if it says that one was applied.
    fn sheet(event: &Event) -> Option<&SheetFacts>;
}

impl Sheeted for Price {
    const SHEET: &'static str = "price-sheet";

    fn applied(sheet: SheetFacts) -> Event {
        Event::PriceSheetApplied(PriceSheetApplied { sheet })
    }

    fn sheet(event: &Event) -> Option<&SheetFacts> {
        match event {
            Event::PriceSheetApplied(applied) => Some(&applied.sheet),
            _ => None,
        }
    }
}

impl Sheeted for Cost {
    const SHEET: &'static str = "cost-sheet";

    fn applied(sheet: SheetFacts) -> Event {
        Event::CostSheetApplied(CostSheetApplied { sheet })
    }

    fn sheet(event: &Event) -> Option<&SheetFacts> {
        match event {
            Event::CostSheetApplied(applied) => Some(&applied.sheet),
            _ => None,
        }
    }
}
