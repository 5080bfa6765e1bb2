//! The table that a sheet is: a header, and lines of cells.
//!
//! Read strictly and whole: whoever sent it hears of all that is wrong with it at once, by line and
//! column, and in no other words than ours.

use actors::prices::decide::sheet::Line;
use csv::{ReaderBuilder, StringRecord, Trim};

use super::{
    Cells, SheetResource,
    cells::{Place, dated},
};
use crate::http::problem::{Code, LineFault, LineRefusal, Problem};

/// The most lines beside the header.
const LINES_MAX: u32 = 10_000;

/// A column.
pub(in crate::rest::prices) struct Column {
    /// As it is written in the header.
    pub(in crate::rest::prices) name: &'static str,
    /// Whether it must be there, and none of its cells may be empty.
    pub(in crate::rest::prices) needed: bool,
    /// What is in it.
    pub(in crate::rest::prices) meaning: &'static str,
}

/// The columns that every sheet has.
pub(super) const PERIOD: [Column; 2] = [
    Column {
        name: "effectiveFrom",
        needed: false,
        meaning: "the first instant, RFC 3339 with an offset, or a date (midnight UTC); empty: now",
    },
    Column {
        name: "effectiveTo",
        needed: false,
        meaning: "the first instant after it, written alike; empty: open",
    },
];

/// A sheet that was read.
pub(super) struct Table<K: SheetResource> {
    /// Lines of which every cell is good.
    pub(super) lines: Vec<Line<K>>,
    /// What is wrong with the others.
    pub(super) refused: Vec<LineRefusal>,
    /// How many there are of both.
    pub(super) count: u32,
}

/// What a sheet has to be, for whoever makes one.
pub(super) fn description<K: SheetResource>() -> String {
    let columns = columns::<K>().map(|column| {
        let needed = if column.needed { ", needed" } else { "" };
        format!("- `{}`: {}{needed}\n", column.name, column.meaning)
    });
    let columns: String = columns.collect();
    format!(
        "A header and at most {LINES_MAX} lines, in UTF-8 with or without byte order mark, \
         separated by `,` or `;` as the header is. Columns, in any order:\n\n{columns}"
    )
}

/// Reads a sheet.
///
/// # Errors
/// It is no table with the columns that are needed, or too long.
pub(super) fn read<K: SheetResource>(bytes: &[u8]) -> Result<Table<K>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the table is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let (mut record, mut lines) = (StringRecord::new(), LineCounter::of(text));
    // Unwrap safety: a text in memory breaks nowhere, and rows may have any number of cells.
    let mut next = |record: &mut StringRecord| reader.read_record(record).expect("a record");
    if !next(&mut record) {
        return Err(malformed("there is no header"));
    }
    let (places, width) = (places::<K>(&record)?, record.len());
    let mut table = Table {
        lines: Vec::new(),
        refused: Vec::new(),
        count: 0,
    };
    while next(&mut record) {
        table.count += 1;
        if table.count > LINES_MAX {
            let detail = format!("a sheet has at most {LINES_MAX} lines beside its header");
            return Err(Problem::new(Code::SheetTooLong).because(detail));
        }
        let number = lines.of_record(&record);
        table.add(number, &record, &places, width);
    }
    if table.count == 0 {
        return Err(malformed("there is no line beside the header"));
    }
    Ok(table)
}

impl<K: SheetResource> Table<K> {
    fn add(&mut self, number: u32, record: &StringRecord, places: &[Place], width: usize) {
        if record.len() != width {
            self.refused.push(LineRefusal {
                line: number,
                column: None,
                reason: LineFault::CellCount,
                detail: format!("{width} cells are needed, as in the header").into(),
            });
            return;
        }
        let mut cells = Cells::new(number, record, places);
        let said = K::line(&mut cells);
        let from = cells.optional("effectiveFrom", dated);
        let to = cells.optional("effectiveTo", dated);
        if let (Ok((key, terms)), Ok(from), Ok(to)) = (said, from, to) {
            self.lines.push(Line {
                number,
                key,
                terms,
                from,
                to,
            });
        }
        self.refused.append(&mut cells.refused);
    }
}

/// Where the columns are.
fn places<K: SheetResource>(header: &StringRecord) -> Result<Vec<Place>, Problem> {
    let mut places = Vec::new();
    for (place, name) in header.iter().enumerate() {
        let Some(column) = columns::<K>().find(|column| column.name == name) else {
            let detail = format!("the header's cell {} names no column of ours", place + 1);
            return Err(malformed(detail));
        };
        if places.iter().any(|(name, _)| *name == column.name) {
            return Err(malformed("the header names this column twice").at(column.name));
        }
        places.push((column.name, place));
    }
    let there = |name| places.iter().any(|(there, _)| *there == name);
    match columns::<K>().find(|column| column.needed && !there(column.name)) {
        Some(missing) => Err(malformed("the header lacks this column").at(missing.name)),
        None => Ok(places),
    }
}

fn columns<K: SheetResource>() -> impl Iterator<Item = &'static Column> {
    K::COLUMNS.iter().chain(&PERIOD)
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::MalformedCsv).because(detail)
}

/// What the header separates its cells by; none of our columns has either in its name.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty());
    match header {
        Some(header) if header.contains(';') => b';',
        _ => b',',
    }
}

/// On which line of a file a record begins.
struct LineCounter<'a> {
    text: &'a [u8],
    counted: usize,
    line: u32,
}

impl<'a> LineCounter<'a> {
    const fn of(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            counted: 0,
            line: 1,
        }
    }

    /// Records are asked for in their order.
    fn of_record(&mut self, record: &StringRecord) -> u32 {
        let begins = record.position().map_or(0, csv::Position::byte);
        let mut begins = usize::try_from(begins)
            .unwrap_or(usize::MAX)
            .min(self.text.len());
        // A record is said to begin right behind the one before it, empty lines included.
        while matches!(self.text.get(begins), Some(b'\r' | b'\n')) {
            begins += 1;
        }
        for byte in &self.text[self.counted..begins] {
            self.line += u32::from(*byte == b'\n');
        }
        self.counted = begins;
        self.line
    }
}

#[cfg(test)]
mod tests;
