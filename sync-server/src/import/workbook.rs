//! Workbooks, XLSX and XLS, as rows of text: read by a library after what they would cost was looked at. Must
//! not know what a column means.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use calamine::{
    DataType, Dimensions, Reader, Sheet, SheetType, SheetVisible, Xls, XlsError, Xlsx, XlsxError,
};
use wanhu_core::domain::day::Day;

use super::table::{Bound, Bounds, Draft, REPEATED, RowState, Table, TableError};
use super::{inflate, xls};

/// From here on a spreadsheet shows a number in scientific notation: it has kept 15 digits, others are gone.
const EXACT_BELOW: f64 = 1e15;
/// Significant digits of a number in a spreadsheet.
const DIGITS: usize = 15;

/// Reads an XLSX file cell by cell.
pub(super) fn read_xlsx(path: &Path, bounds: &Bounds) -> Result<Table, TableError> {
    let seen = inflate::look_at(path, bounds)?;
    let mut book = Xlsx::new(BufReader::new(File::open(path)?)).map_err(xlsx_error)?;
    let from_1904 = book.has_1904_epoch();
    let mut table = Table::default();
    let mut left = visible(book.sheets_metadata()).into_iter();
    for name in left.by_ref() {
        let merges =
            if seen.merges { book.merge_cells_by_sheet_name(&name) } else { Ok(Vec::new()) };
        let mut sheet = SheetDraft::new(bounds, merges.map_err(xlsx_error)?);
        let mut reader = book.worksheet_cells_reader(&name).map_err(xlsx_error)?;
        if reader.dimensions().end.0 >= bounds.rows {
            return Err(TableError::TooLarge(Bound::Rows));
        }
        while let Some(cell) = reader.next_cell().map_err(xlsx_error)? {
            sheet.cell(cell.get_position(), cell.get_value())?;
        }
        let draft = sheet.finish()?;
        if !draft.is_empty() {
            table = draft.finish();
            break;
        }
    }
    table.from_1904 = from_1904;
    table.sheets_left = left.filter(|name| has_cells(&mut book, name)).collect();
    Ok(table)
}

fn has_cells(book: &mut Xlsx<BufReader<File>>, sheet: &str) -> bool {
    let Ok(mut reader) = book.worksheet_cells_reader(sheet) else { return false };
    while let Ok(Some(cell)) = reader.next_cell() {
        if !cell.get_value().is_empty() {
            return true;
        }
    }
    false
}

/// Reads an XLS file, whole.
pub(super) fn read_xls(path: &Path, bounds: &Bounds) -> Result<Table, TableError> {
    let checked = xls::checked(path, bounds)?;
    let mut book = Xls::new(Cursor::new(checked)).map_err(xls_error)?;
    let mut table = Table::default();
    let mut left = visible(book.sheets_metadata()).into_iter();
    for name in left.by_ref() {
        let merges = book.merge_cells_by_sheet_name(&name).map_err(|_| TableError::Malformed)?;
        let range = book.worksheet_range(&name).map_err(|_| TableError::Malformed)?;
        let mut sheet = SheetDraft::new(bounds, merges);
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row, cells) in (first_row..).zip(range.rows()) {
            for (column, value) in (first_column..).zip(cells) {
                sheet.cell((row, column), value)?;
            }
        }
        let draft = sheet.finish()?;
        if !draft.is_empty() {
            table = draft.finish();
            break;
        }
    }
    table.from_1904 = book.has_1904_epoch();
    let has_cells = |name: &String| book.worksheet_range(name).is_ok_and(|range| !range.is_empty());
    table.sheets_left = left.filter(has_cells).collect();
    Ok(table)
}

fn visible(sheets: &[Sheet]) -> Vec<String> {
    let shown = |sheet: &&Sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
    };
    sheets.iter().filter(shown).map(|sheet| sheet.name.clone()).collect()
}

fn xlsx_error(error: XlsxError) -> TableError {
    if matches!(error, XlsxError::Password) { TableError::Encrypted } else { TableError::Malformed }
}

fn xls_error(error: XlsError) -> TableError {
    if matches!(error, XlsError::Password) { TableError::Encrypted } else { TableError::Malformed }
}

/// A sheet being read: cells of one row at a time, and the merges that reach down into it.
struct SheetDraft<'b> {
    draft: Draft<'b>,
    columns_max: u32,
    rows_max: u32,
    /// By first row, the last first, so that the next is at the end.
    merges: Vec<Dimensions>,
    /// By column: the last row of a merge and its value.
    reaching: BTreeMap<usize, (u32, String)>,
    row: u32,
    cells: Vec<String>,
    width: usize,
}

impl<'b> SheetDraft<'b> {
    fn new(bounds: &'b Bounds, mut merges: Vec<Dimensions>) -> Self {
        merges.retain(|merge| merge.end.0 > merge.start.0);
        merges.sort_by_key(|merge| std::cmp::Reverse(merge.start));
        Self {
            draft: Draft::new(bounds),
            columns_max: u32::try_from(bounds.columns).unwrap_or(u32::MAX),
            rows_max: bounds.rows,
            merges,
            reaching: BTreeMap::new(),
            row: 0,
            cells: Vec::new(),
            width: 0,
        }
    }

    /// Takes a cell; rows come from top to bottom.
    fn cell(&mut self, place: (u32, u32), value: &impl DataType) -> Result<(), TableError> {
        let (row, column) = place;
        if value.is_empty() {
            return Ok(());
        }
        if row >= self.rows_max {
            return Err(TableError::TooLarge(Bound::Rows));
        }
        if column >= self.columns_max {
            return Err(TableError::TooLarge(Bound::Columns));
        }
        if row < self.row {
            return Err(TableError::Malformed);
        }
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        self.widen(column + 1);
        let cell = &mut self.cells[column];
        cell.clear();
        write_value(cell, value);
        Ok(())
    }

    fn widen(&mut self, width: usize) {
        if self.cells.len() < width {
            self.cells.resize_with(width, String::new);
        }
        for cell in &mut self.cells[self.width.min(width)..width] {
            cell.clear();
        }
        self.width = self.width.max(width);
    }

    fn end_row(&mut self) -> Result<(), TableError> {
        // A merge that reaches down gives its value to rows that are there, it makes none.
        if self.width > 0 {
            self.fill_from_merges();
            let number = self.row.saturating_add(1);
            let cells = self.cells[..self.width].iter().map(String::as_str);
            self.draft.push(number, RowState::Whole, cells)?;
            self.width = 0;
        }
        Ok(())
    }

    fn fill_from_merges(&mut self) {
        self.reaching.retain(|_, (last, _)| *last >= self.row);
        let filled: Vec<usize> = self.reaching.keys().copied().collect();
        for column in filled {
            self.widen((column + 1).max(self.width));
            let cell = &mut self.cells[column];
            if let (true, Some((_, value))) = (cell.is_empty(), self.reaching.get(&column)) {
                cell.push_str(value);
                if value.parse::<f64>().is_ok() {
                    cell.push(REPEATED);
                }
            }
        }
        while let Some(merge) = self.merges.pop_if(|merge| merge.start.0 <= self.row) {
            let column = usize::try_from(merge.start.1).unwrap_or(usize::MAX);
            let begins_here = merge.start.0 == self.row && column < self.width;
            if begins_here && !self.cells[column].is_empty() {
                self.reaching.insert(column, (merge.end.0, self.cells[column].clone()));
            }
        }
    }

    fn finish(mut self) -> Result<Draft<'b>, TableError> {
        self.end_row()?;
        Ok(self.draft)
    }
}

/// Writes a value as a person reads it in the sheet: days as ISO days, numbers without noise.
fn write_value(cell: &mut String, value: &impl DataType) {
    if let Some(text) = value.get_string() {
        cell.push_str(text);
    } else if let Some(time) = value.get_datetime().filter(|time| time.is_datetime()) {
        let (year, month, day, ..) = time.to_ymd_hms_milli();
        match Day::new(i32::from(year), u32::from(month), u32::from(day)) {
            Some(day) if time.as_f64() >= 1.0 => write_text(cell, day),
            _ => write_number(cell, time.as_f64()),
        }
    } else if let Some(time) = value.get_datetime() {
        write_number(cell, time.as_f64());
    } else if let Some(text) = value.get_datetime_iso().or(value.get_duration_iso()) {
        cell.push_str(text);
    } else if let Some(number) = value.get_float() {
        write_number(cell, number);
    } else if let Some(number) = value.get_int() {
        write_text(cell, number);
    } else if let Some(tick) = value.get_bool() {
        cell.push_str(if tick { "TRUE" } else { "FALSE" });
    } else if let Some(error) = value.get_error() {
        write_text(cell, error);
    }
}

fn write_text(cell: &mut String, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(cell, "{value}");
}

fn write_number(cell: &mut String, number: f64) {
    if number.abs() >= EXACT_BELOW {
        return write_text(cell, format_args!("{number:E}"));
    }
    write_text(cell, number);
    if cell.len() > DIGITS + 1 {
        // 0.1 + 0.2 is shown as 0.3.
        let shown: f64 = format!("{number:.*e}", DIGITS - 1).parse().unwrap_or(number);
        cell.clear();
        write_text(cell, shown);
    }
}
