//! Where things stand on paper, as data for `sheet.typ`: which way the page lies, how wide columns are, which
//! labels share a line. Must not know the typesetter.

use std::collections::BTreeMap;

use serde::Serialize;
use wanhu_core::document::form::{Cell, FormKind, Heading, Sheet, SheetPart, Shown};
use wanhu_core::domain::ids::HouseholdId;

use crate::outputs::{Table, tables, width, widths, word};

/// Labels with their values on one line.
const SLOTS: usize = 3;
/// Half-width characters a value has room for in one slot, and in each slot more.
const SLOT_WIDTH: (usize, usize) = (16, 42);
/// Half-width characters that fit on a line in 9 point, upright and lying.
const LINE_WIDTHS: (usize, usize) = (112, 166);
/// Sizes of text in points: as it should be, and the smallest that is still read.
const SIZES: (f64, f64) = (9.0, 6.5);
/// The same on a wall.
const NOTICE_SIZES: (f64, f64) = (13.0, 9.0);

/// Half-width characters the small check code has room for.
const CODE_WIDTH: usize = 16;

/// A sheet on paper.
#[derive(Debug, Serialize)]
pub(super) struct Layout {
    title: String,
    fonts: Vec<String>,
    landscape: bool,
    public: bool,
    stamp: Vec<String>,
    pages_words: [&'static str; 3],
    none_word: &'static str,
    sign: Vec<String>,
    footer: Vec<String>,
    pages: Vec<Page>,
}

/// What begins on a new page: a household, or all of a list.
#[derive(Debug, Serialize)]
struct Page {
    /// Whose it is, at the foot of every sheet of paper, as sheets get parted; empty on a list.
    name: String,
    code: String,
    blocks: Vec<Block>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Block {
    Pairs {
        title: String,
        pairs: Vec<Pair>,
    },
    Lines {
        title: String,
        header: Vec<String>,
        widths: Vec<usize>,
        amounts: Vec<bool>,
        centred: Vec<bool>,
        size: f64,
        rows: Vec<Vec<String>>,
        /// Whether the last column is the check code, which is set small.
        code_last: bool,
    },
}

#[derive(Debug, Serialize)]
struct Pair {
    label: String,
    value: String,
    /// Columns the value takes: one, and two for each slot more.
    span: usize,
}

/// Lays out a sheet for these font families.
pub(super) fn of(sheet: &Sheet, fonts: &[String]) -> Layout {
    Layout {
        title: sheet.title.clone(),
        fonts: fonts.to_vec(),
        landscape: sheet.kind != FormKind::PerHousehold,
        public: sheet.public,
        stamp: sheet.stamp.clone(),
        pages_words: [word("page"), word("of_pages"), word("pages")],
        none_word: word("none"),
        sign: sheet.sign.clone(),
        footer: sheet.footer.clone(),
        pages: match sheet.kind {
            FormKind::PerHousehold => pages(sheet),
            FormKind::PerMember | FormKind::PerMeasure | FormKind::VillageList => vec![list(sheet)],
        },
    }
}

/// A page a household.
fn pages(sheet: &Sheet) -> Vec<Page> {
    let mut own: BTreeMap<(usize, HouseholdId), Vec<&Vec<Cell>>> = BTreeMap::new();
    for (at, part) in sheet.parts.iter().enumerate() {
        for row in &part.rows {
            own.entry((at, row.household)).or_default().push(&row.cells);
        }
    }
    let page = |(id, code): (HouseholdId, &String)| {
        let block = |(at, part): (usize, &SheetPart)| {
            let rows = own.get(&(at, id)).map_or(&[][..], Vec::as_slice);
            match rows.first() {
                Some(cells) if !part.over_rows => pairs(part, cells),
                _ => lines(&part.title, &part.header, rows, (SIZES, LINE_WIDTHS.0), false),
            }
        };
        let code = format!("{}:{code}", word("digest"));
        // The first column of the first part is what a household goes by.
        let first = own.get(&(0, id)).and_then(|rows| rows.first()?.first());
        let name = first.map_or_else(String::new, Cell::text);
        Page { name, code, blocks: sheet.parts.iter().enumerate().map(block).collect() }
    };
    let codes = sheet.codes();
    sheet.households.iter().filter_map(|(id, _)| Some(page((*id, codes.get(id)?)))).collect()
}

/// One table, each line with its household's check code.
fn list(sheet: &Sheet) -> Page {
    let sizes = if sheet.public { NOTICE_SIZES } else { SIZES };
    let block = |table: Table<'_>| {
        let rows: Vec<&Vec<Cell>> = table.lines.iter().collect();
        lines(table.title, &table.header, &rows, (sizes, LINE_WIDTHS.1), true)
    };
    Page {
        name: String::new(),
        code: String::new(),
        blocks: tables(sheet).into_iter().map(block).collect(),
    }
}

/// Text as small as the columns need, down to what is still read; beyond that cells break.
fn lines(
    title: &str,
    header: &[Heading],
    rows: &[&Vec<Cell>],
    ((wanted, smallest), room): ((f64, f64), usize),
    code_last: bool,
) -> Block {
    let widths = widths(header, rows.iter().copied());
    // Letters are wider than half a character, and a cell has edges.
    let mut widths: Vec<usize> = widths.into_iter().map(|width| width + width / 8 + 2).collect();
    if let Some(last) = widths.last_mut().filter(|_| code_last) {
        *last = CODE_WIDTH;
    }
    let taken = widths.iter().sum::<usize>();
    let size = (SIZES.0 * room as f64 / taken as f64).clamp(smallest, wanted);
    let short = |at: usize| {
        let brief = |row: &&Vec<Cell>| row.get(at).is_none_or(|cell| width(&cell.text()) <= 10);
        header.get(at).is_some_and(|heading| !heading.is_amount) && rows.iter().all(brief)
    };
    Block::Lines {
        title: title.to_owned(),
        header: header.iter().map(|heading| heading.label.clone()).collect(),
        amounts: header.iter().map(|heading| heading.is_amount).collect(),
        centred: (0..header.len()).map(short).collect(),
        rows: rows.iter().map(|row| row.iter().map(Cell::text).collect()).collect(),
        widths,
        size,
        code_last,
    }
}

fn pairs(part: &SheetPart, cells: &[Cell]) -> Block {
    let slots = |cell: &Cell| match width(&cell.text()) {
        width if width <= SLOT_WIDTH.0 => 1,
        width if width <= SLOT_WIDTH.0 + SLOT_WIDTH.1 => 2,
        _ => SLOTS,
    };
    let mut pairs: Vec<Pair> = Vec::new();
    let mut used = 0;
    let fill = |pairs: &mut Vec<Pair>, used: usize| {
        if let Some(last) = pairs.last_mut().filter(|_| used < SLOTS) {
            last.span += 2 * (SLOTS - used);
        }
    };
    for (heading, cell) in part.header.iter().zip(cells) {
        let wanted = if cell.shown == Shown::Empty { 1 } else { slots(cell) };
        if used > 0 && used + wanted > SLOTS {
            fill(&mut pairs, used);
            used = 0;
        }
        let span = 2 * wanted - 1;
        pairs.push(Pair { label: heading.label.clone(), value: cell.text(), span });
        used += wanted;
        if used == SLOTS {
            used = 0;
        }
    }
    if used > 0 {
        fill(&mut pairs, used);
    }
    Block::Pairs { title: part.title.clone(), pairs }
}
