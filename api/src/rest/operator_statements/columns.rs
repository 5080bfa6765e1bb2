//! The columns of a statement, and what its lines may hold.
//!
//! Columns are found by the header, whatever their order and case. Others are not read: a carrier's file
//! may hold phone numbers, and nothing of them gets any further than the line that is being read.

use projections::operator_statements::comparison::{
    MessageLines,
    totals::{DayLine, DayLines},
};
use rust_decimal::Decimal;
use schema::{Amount, Day, OperatorMessageId, Status, event::StatementContent};

use crate::http::lines::{Line, LineFault};

/// The most lines of a statement.
pub(super) const LINES_MAX: u32 = 1_000_000;
/// The most messages or segments that one line may be about.
const COUNT_MAX: i64 = 1_000_000_000_000;
/// The most segments that a line may say one message has. More than we would charge, for a carrier may
/// say so.
const SEGMENTS_MAX: i64 = 255;
/// What costs stay below.
const COST_MAX: i64 = 1_000_000_000_000;

/// The lines of a statement, once its header is known.
pub(super) enum Rows {
    /// The header has not come yet.
    Nothing { from: Day, to: Day },
    /// Lines about messages.
    Messages(Messages),
    /// Lines about days.
    Days(Days),
}

/// Where a statement about messages has what.
pub(super) struct Messages {
    id: usize,
    status: usize,
    segments: usize,
    cost: Option<usize>,
    waiting: MessageLines,
}

/// Where a statement about days has what.
pub(super) struct Days {
    from: Day,
    to: Day,
    date: usize,
    status: usize,
    messages: usize,
    segments: usize,
    cost: Option<usize>,
    /// What its lines say.
    pub(super) lines: DayLines,
}

impl Rows {
    /// A file about these days, of which nothing has come.
    pub(super) const fn new(from: Day, to: Day) -> Self {
        Self::Nothing { from, to }
    }

    /// Takes a line, the header first.
    pub(super) fn take(&mut self, line: &Line<'_>) -> Result<(), LineFault> {
        match self {
            Self::Nothing { from, to } => {
                *self = header(line, *from, *to)?;
                Ok(())
            }
            Self::Messages(messages) => messages.take(line),
            Self::Days(days) => days.take(line),
        }
    }

    /// How many lines wait to be put down.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Messages(messages) => messages.waiting.line.len(),
            Self::Nothing { .. } | Self::Days(_) => 0,
        }
    }

    /// Those that wait.
    pub(super) fn taken(&mut self) -> MessageLines {
        match self {
            Self::Messages(messages) => std::mem::take(&mut messages.waiting),
            Self::Nothing { .. } | Self::Days(_) => MessageLines::default(),
        }
    }

    /// What its lines are about.
    pub(super) const fn content(&self) -> Option<StatementContent> {
        match self {
            Self::Nothing { .. } => None,
            Self::Messages(_) => Some(StatementContent::Messages),
            Self::Days(_) => Some(StatementContent::Days),
        }
    }
}

/// Finds the columns.
fn header(line: &Line<'_>, from: Day, to: Day) -> Result<Rows, LineFault> {
    let find = |name: &str| {
        let mut found = (0..line.width()).filter(|at| line.cell(*at).eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (_, Some(again)) => Err(line.fault(again, "the column is named twice")),
            (found, None) => Ok(found),
        }
    };
    let missing = |why| LineFault {
        line: line.number,
        column: None,
        why,
    };
    let status = find("status")?.ok_or(missing("the column status is missing"))?;
    let segments = find("segments")?.ok_or(missing("the column segments is missing"))?;
    let cost = find("cost")?;
    if let Some(id) = find("operatorMessageId")? {
        return Ok(Rows::Messages(Messages {
            id,
            status,
            segments,
            cost,
            waiting: MessageLines::default(),
        }));
    }
    let neither = "the column operatorMessageId is missing, or date and messages are";
    Ok(Rows::Days(Days {
        from,
        to,
        date: find("date")?.ok_or(missing(neither))?,
        status,
        messages: find("messages")?.ok_or(missing(neither))?,
        segments,
        cost,
        lines: DayLines::default(),
    }))
}

impl Messages {
    fn take(&mut self, line: &Line<'_>) -> Result<(), LineFault> {
        let id = line.cell(self.id);
        if id.starts_with(['=', '@']) {
            return Err(line.fault(self.id, "begins like a formula"));
        }
        let id = OperatorMessageId::new(id)
            .ok_or(line.fault(self.id, "must be 1 to 64 printable ASCII characters"))?;
        let status = status(line, self.status)?;
        let segments = count(line, self.segments, SEGMENTS_MAX)?;
        let cost = cost(line, self.cost)?;
        let number = i32::try_from(line.number);
        let number = number.map_err(|_| line.fault(self.id, "stands too far down"))?;
        self.waiting.line.push(number);
        self.waiting.id.push(id.as_str().to_owned());
        self.waiting.status.push(status.as_str());
        self.waiting.segments.push(segments);
        self.waiting.cost.push(cost.map(Amount::decimal));
        Ok(())
    }
}

impl Days {
    fn take(&mut self, line: &Line<'_>) -> Result<(), LineFault> {
        let day = Day::parse(line.cell(self.date));
        let day = day.ok_or(line.fault(self.date, "must be a day such as 2026-03-31"))?;
        if day < self.from || day > self.to {
            return Err(line.fault(self.date, "lies outside of the statement's days"));
        }
        self.lines.add(DayLine {
            line: line.number,
            day,
            status: status(line, self.status)?,
            messages: count(line, self.messages, COUNT_MAX)?,
            segments: count(line, self.segments, COUNT_MAX)?,
            cost: cost(line, self.cost)?,
        });
        Ok(())
    }
}

/// What the carrier's word means; as in a receipt.
fn status(line: &Line<'_>, column: usize) -> Result<Status, LineFault> {
    let word = line.cell(column);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=32).contains(&word.len()) && word.bytes().all(plain) {
        Ok(Status::from_word(word))
    } else {
        Err(line.fault(column, "must be 1 to 32 letters, digits, _ or -"))
    }
}

fn count(line: &Line<'_>, column: usize, most: i64) -> Result<i64, LineFault> {
    let text = line.cell(column);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    let number = number.filter(|number| (0..=most).contains(number));
    number.ok_or(line.fault(column, "must be a whole number that is not too large"))
}

/// The cost, if there is a column for it and something in it.
fn cost(line: &Line<'_>, column: Option<usize>) -> Result<Option<Amount>, LineFault> {
    let Some(column) = column else {
        return Ok(None);
    };
    let text = line.cell(column);
    if text.is_empty() {
        return Ok(None);
    }
    let form = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.starts_with(|first: char| first.is_ascii_digit());
    let decimal = form.then(|| text.parse::<Decimal>().ok()).flatten();
    let decimal = decimal.filter(|decimal| *decimal < Decimal::from(COST_MAX));
    let amount = decimal.and_then(Amount::new);
    let why = "must be a decimal such as 0.045, not negative, with at most 6 places";
    amount.map(Some).ok_or(line.fault(column, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lines::Lines;

    fn read(file: &str) -> Result<Rows, String> {
        let day = |text| Day::parse(text).expect("a day");
        let mut rows = Rows::new(day("2026-03-01"), day("2026-03-31"));
        let mut lines = Lines::new(LINES_MAX);
        let mut each = |line: &Line<'_>| rows.take(line);
        let read = lines.feed(file.as_bytes(), &mut each);
        let read = read.and_then(|()| lines.finish(&mut each));
        read.map_err(|fault| fault.to_string())?;
        Ok(rows)
    }

    #[test]
    fn columns_are_found_by_their_names_and_others_are_not_read() {
        let file = "to;SEGMENTS;OperatorMessageId;status;cost\n+49 170 1;2;op-1;DELIVRD;0.04\n\
                    x;1;op 2;weird;\n";
        let mut rows = read(file).expect("read");
        assert_eq!(rows.content(), Some(StatementContent::Messages));
        let lines = rows.taken();
        assert_eq!(
            (lines.line, lines.id),
            (vec![2, 3], vec!["op-1".into(), "op 2".into()])
        );
        assert_eq!(lines.status, ["DELIVERED", "UNKNOWN"]);
        assert_eq!(lines.segments, [2, 1]);
        assert_eq!(lines.cost, [Some(Decimal::new(40_000, 6)), None]);
        let days = read("date,status,messages,segments\n2026-03-31,FAILED,3,4\n").expect("read");
        assert_eq!(days.content(), Some(StatementContent::Days));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_line_and_column_and_not_repeated() {
        let message = |line: &str| {
            format!("operatorMessageId,status,segments,cost\nok,EXPIRED,1,0\n{line}\n")
        };
        let day = |line: &str| format!("date,status,messages,segments,cost\n{line}\n");
        for (file, place) in [
            (message("=cmd(),EXPIRED,1,0"), "line 3, column 1: "),
            (message("@x,EXPIRED,1,0"), "line 3, column 1: "),
            (
                message(&format!("{},EXPIRED,1,0", "x".repeat(65))),
                "line 3, column 1: ",
            ),
            (message(",EXPIRED,1,0"), "line 3, column 1: "),
            (message("é,EXPIRED,1,0"), "line 3, column 1: "),
            (message("id,EX PIRED,1,0"), "line 3, column 2: "),
            (message("id,EXPIRED,-1,0"), "line 3, column 3: "),
            (message("id,EXPIRED,256,0"), "line 3, column 3: "),
            (message("id,EXPIRED,1.5,0"), "line 3, column 3: "),
            (message("id,EXPIRED"), "line 3, column 3: "),
            (message("id,EXPIRED,1,0.0000001"), "line 3, column 4: "),
            (message("id,EXPIRED,1,-1"), "line 3, column 4: "),
            (message("id,EXPIRED,1,1e3"), "line 3, column 4: "),
            (message("id,EXPIRED,1,1000000000000"), "line 3, column 4: "),
            (day("2026-04-01,EXPIRED,1,1,0"), "line 2, column 1: "),
            (day("31.03.2026,EXPIRED,1,1,0"), "line 2, column 1: "),
            (day("2026-03-01,EXPIRED,x,1,0"), "line 2, column 3: "),
            ("status,segments\n".to_owned(), "line 1: "),
            ("operatorMessageId,status\n".to_owned(), "line 1: "),
            (
                "operatorMessageId,status,status,segments\n".to_owned(),
                "line 1, column 3: ",
            ),
        ] {
            let told = read(&file).err().expect("refused");
            assert!(told.starts_with(place), "{file}: {told}");
            assert!(!told.contains("cmd") && !told.contains("xxx"), "{told}");
        }
    }
}
