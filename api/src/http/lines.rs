//! A CSV file, line by line as it arrives.
//!
//! UTF-8 with or without a byte-order mark, separated by `,` or `;`, whichever the header has. Only one
//! line is kept at a time and it is short, so that what is in memory does not grow with the file,
//! whatever it holds. A fault names line and column, and never repeats what is there.

use std::fmt;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The most bytes of a line, quotes not counted.
const LINE_MAX: usize = 4_096;
/// The most cells of a line.
const CELLS_MAX: usize = 200;

/// Reads lines out of a file that comes in pieces.
#[derive(Debug)]
pub struct Lines {
    /// What has come before the header was whole.
    head: Vec<u8>,
    reader: Option<Reader>,
    cells: Vec<u8>,
    ends: Vec<usize>,
    filled: usize,
    ended: usize,
    line: u32,
    count: u32,
    most: u32,
}

/// One line.
#[derive(Debug)]
pub struct Line<'a> {
    /// Its number in the file; the header is line 1.
    pub number: u32,
    cells: Vec<&'a str>,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineFault {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; none where it is the line as a whole.
    pub column: Option<usize>,
    /// What is wrong, in a sentence of ours.
    pub why: &'static str,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, why } = self;
        match column {
            Some(column) => write!(f, "line {line}, column {column}: {why}"),
            None => write!(f, "line {line}: {why}"),
        }
    }
}

impl Line<'_> {
    /// A cell without the spaces around it; empty where the line is too short to have it. Columns
    /// are counted from 0.
    #[must_use]
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }

    /// How many cells it has.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.cells.len()
    }

    /// A fault in one of its cells, counted from 0.
    #[must_use]
    pub const fn fault(&self, column: usize, why: &'static str) -> LineFault {
        LineFault {
            line: self.number,
            column: Some(column + 1),
            why,
        }
    }
}

impl Lines {
    /// A file of at most `most` lines, the header not counted.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self {
            head: Vec::new(),
            reader: None,
            cells: vec![0; LINE_MAX],
            ends: vec![0; CELLS_MAX],
            filled: 0,
            ended: 0,
            line: 0,
            count: 0,
            most,
        }
    }

    /// Takes the next piece; gives each line that is whole by now to `each`, the header first.
    ///
    /// # Errors
    /// The first fault, or what `each` says. Nothing may be fed after that.
    pub fn feed(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(&Line<'_>) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        if self.reader.is_some() {
            return self.read(piece, each);
        }
        self.head.extend_from_slice(piece);
        let whole = self.head.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        match whole {
            true => self.begin(each),
            false if self.head.len() > LINE_MAX => Err(self.fault("the line is too long")),
            false => Ok(()),
        }
    }

    /// The file is at its end.
    ///
    /// # Errors
    /// As for [`Self::feed`].
    pub fn finish(
        &mut self,
        each: &mut impl FnMut(&Line<'_>) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        if self.reader.is_none() {
            self.begin(each)?;
        }
        self.read(&[], each)?;
        match self.line {
            0 => Err(self.fault("the file is empty")),
            _ => Ok(()),
        }
    }

    /// How many lines there were, the header not counted.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count.saturating_sub(1)
    }

    /// Finds out the separator by the header, and reads what has come.
    fn begin(
        &mut self,
        each: &mut impl FnMut(&Line<'_>) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        let head = std::mem::take(&mut self.head);
        let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let header = &head[..end.unwrap_or(head.len())];
        let count = |separator: u8| header.split(|byte| *byte == separator).count();
        let separator = if count(b';') > count(b',') {
            b';'
        } else {
            b','
        };
        self.reader = Some(ReaderBuilder::new().delimiter(separator).build());
        self.read(&head, each)
    }

    fn read(
        &mut self,
        mut piece: &[u8],
        each: &mut impl FnMut(&Line<'_>) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        let at_end = piece.is_empty();
        loop {
            let Some(reader) = &mut self.reader else {
                return Ok(());
            };
            let (cells, ends) = (&mut self.cells[self.filled..], &mut self.ends[self.ended..]);
            let (result, taken, filled, ended) = reader.read_record(piece, cells, ends);
            let (consumed, rest) = piece.split_at(taken);
            piece = rest;
            self.filled += filled;
            self.ended += ended;
            match result {
                ReadRecordResult::InputEmpty if at_end => {}
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::OutputFull => return Err(self.fault("the line is too long")),
                ReadRecordResult::OutputEndsFull => {
                    return Err(self.fault("the line has too many cells"));
                }
                ReadRecordResult::Record => {
                    let behind = consumed.last() == Some(&b'\n');
                    self.whole(behind, each)?;
                }
            }
        }
    }

    /// A line is whole. `behind`: the reader already stands on the next one.
    fn whole(
        &mut self,
        behind: bool,
        each: &mut impl FnMut(&Line<'_>) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        let text = &self.cells[..self.filled];
        let inside = text.split(|byte| *byte == b'\n').count() - 1;
        let stands = self.reader.as_ref().map_or(0, Reader::line);
        let begins = stands.saturating_sub(u64::try_from(inside).unwrap_or(0) + u64::from(behind));
        let begins = u32::try_from(begins).unwrap_or(u32::MAX);
        // A file whose lines end in a mere carriage return has no line feed to count.
        self.line = begins.max(self.line.saturating_add(1));
        self.count += 1;
        if self.count() > self.most {
            return Err(LineFault {
                line: self.line,
                column: None,
                why: "the file has more lines than are taken",
            });
        }
        let line = line(self.line, text, &self.ends[..self.ended])?;
        each(&line)?;
        (self.filled, self.ended) = (0, 0);
        Ok(())
    }

    /// A fault in the line after the last whole one.
    fn fault(&self, why: &'static str) -> LineFault {
        LineFault {
            line: self.line + 1,
            column: None,
            why,
        }
    }
}

fn line<'a>(number: u32, text: &'a [u8], ends: &[usize]) -> Result<Line<'a>, LineFault> {
    let mut cells = Vec::with_capacity(ends.len());
    let mut begin = 0;
    for (column, &end) in ends.iter().enumerate() {
        let fault = |why| LineFault {
            line: number,
            column: Some(column + 1),
            why,
        };
        let cell = std::str::from_utf8(&text[begin..end]).map_err(|_| fault("not UTF-8"))?;
        if cell.contains('\0') {
            return Err(fault("holds a zero byte"));
        }
        cells.push(cell);
        begin = end;
    }
    Ok(Line { number, cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a file that comes in pieces of this size: number and cells.
    fn read(file: &[u8], size: usize) -> Result<Vec<(u32, Vec<String>)>, LineFault> {
        let mut lines = Lines::new(3);
        let mut found = Vec::new();
        let mut each = |line: &Line<'_>| {
            let cells = (0..line.width()).map(|at| line.cell(at).to_owned());
            found.push((line.number, cells.collect()));
            Ok(())
        };
        for piece in file.chunks(size) {
            lines.feed(piece, &mut each)?;
        }
        lines.finish(&mut each)?;
        Ok(found)
    }

    fn due(rows: &[(u32, &[&str])]) -> Vec<(u32, Vec<String>)> {
        let row = |(number, cells): &(u32, &[&str])| {
            (*number, cells.iter().map(|&cell| cell.to_owned()).collect())
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn a_file_is_read_alike_in_whatever_pieces_it_comes() {
        let plain = due(&[(1, &["a", "b"]), (2, &["1", "2"]), (4, &["x\ny", "é"])]);
        for file in [
            "a,b\n1,2\n\n\"x\ny\",é\n",
            "a,b\r\n1,2\r\n\r\n\"x\ny\",é",
            "\u{feff}a;b\n1;2\n\n\"x\ny\";é",
            "a,b\n1, 2 \n\n\"x\ny\",\"é\"\n\n",
        ] {
            for size in [1, 2, 3, 7, 1_000] {
                assert_eq!(
                    read(file.as_bytes(), size),
                    Ok(plain.clone()),
                    "{file:?} {size}"
                );
            }
        }
        let old = due(&[(1, &["a", "b"]), (2, &["1", "2"]), (3, &["3", "4"])]);
        assert_eq!(read(b"a,b\r1,2\r3,4\r", 1), Ok(old));
    }

    #[test]
    fn a_fault_names_line_and_column() {
        let long = "x".repeat(1_000_000);
        let many = "1,".repeat(CELLS_MAX);
        let unclosed = format!("a,b\n\"1,2\n{}", "3,4\n".repeat(10_000));
        let cases: [(Vec<u8>, &str); 8] = [
            (b"".into(), "line 1: the file is empty"),
            (b"a,b\n1,\xff\n".into(), "line 2, column 2: not UTF-8"),
            // Two halves of a letter do not make a whole one.
            (b"a,b\n\xc3,\xa9\n".into(), "line 2, column 1: not UTF-8"),
            (
                b"a,b\n1,2\n3\0,4\n".into(),
                "line 3, column 1: holds a zero byte",
            ),
            (
                format!("a,b\n1,{long}\n").into(),
                "line 2: the line is too long",
            ),
            (long.clone().into(), "line 1: the line is too long"),
            (
                format!("a,b\n{many}\n").into(),
                "line 2: the line has too many cells",
            ),
            (unclosed.into(), "line 2: the line is too long"),
        ];
        for (file, told) in cases {
            for size in [1, 1_000, 2_000_000] {
                let fault = read(&file, size).expect_err("refused");
                assert_eq!(fault.to_string(), told);
            }
        }
    }

    #[test]
    fn one_line_more_than_are_taken_is_refused() {
        assert_eq!(read(b"a\n1\n2\n3\n", 5).map(|rows| rows.len()), Ok(4));
        let fault = read(b"a\n1\n2\n3\n4\n", 5).expect_err("refused");
        assert_eq!(
            fault.to_string(),
            "line 5: the file has more lines than are taken"
        );
    }
}
