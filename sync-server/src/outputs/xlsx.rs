//! A sheet as an XLSX workbook: a worksheet a table, title and stamp above, signature lines below, set up for A4
//! landscape. Amounts are numbers, days are dates, everything else is text. Must not let a cell act as a formula.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use wanhu_core::document::form::{Cell, Sheet, Shown};
use wanhu_core::domain::day::Day;

use super::{OutputError, Table, tables, widths, word};

/// A4 in the list of paper sizes of the format.
const PAPER_A4: u8 = 9;
/// Rows above the first line: title, stamp, header.
const HEADER_ROW: u32 = 2;
/// Integers beyond it are not exact in the format.
const EXACT_MAX: u64 = 1 << 53;
/// Longest name of a worksheet, in characters.
const NAME_CHARS_MAX: usize = 31;

/// Writes a sheet.
///
/// # Errors
/// `TooLarge` beyond what the format holds, otherwise `Refused`.
pub fn write(sheet: &Sheet) -> Result<Vec<u8>, OutputError> {
    workbook(sheet).map_err(|error| {
        let too_large =
            matches!(error, XlsxError::MaxStringLengthExceeded | XlsxError::RowColumnLimitError);
        if too_large { OutputError::TooLarge } else { OutputError::Refused }
    })
}

fn workbook(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The same sheet is the same file, whenever it is made.
    let made = excel_day(sheet.as_of)?;
    let about = DocProperties::new().set_title(&sheet.title).set_creation_datetime(&made);
    workbook.set_properties(&about);
    for (number, table) in (1..).zip(tables(sheet)) {
        let page = workbook.add_worksheet();
        page.set_name(name(number, &table))?;
        fill(page, sheet, &table)?;
    }
    workbook.save_to_buffer()
}

/// Unique within the workbook, without what the format forbids.
fn name(number: usize, table: &Table<'_>) -> String {
    let kept = table.title.chars().filter(|c| !"[]:*?/\\'".contains(*c));
    if table.title.is_empty() {
        "Sheet1".into()
    } else {
        format!("{number} ").chars().chain(kept).take(NAME_CHARS_MAX).collect()
    }
}

struct Formats {
    title: Format,
    note: Format,
    header: Format,
    text: Format,
    whole: Format,
    hundredths: Format,
    day: Format,
    sign: Format,
}

impl Formats {
    fn new() -> Self {
        let base = || Format::new().set_font_name("宋体").set_font_size(10);
        let boxed = || {
            base()
                .set_border(FormatBorder::Thin)
                .set_text_wrap()
                .set_align(FormatAlign::VerticalCenter)
        };
        let middle = |format: Format| format.set_align(FormatAlign::Center);
        Self {
            title: middle(base().set_font_size(16).set_bold())
                .set_align(FormatAlign::VerticalCenter),
            note: base().set_font_size(9),
            header: middle(boxed().set_bold()).set_background_color(0x00ED_EDED),
            text: boxed(),
            whole: boxed().set_num_format("0"),
            hundredths: boxed().set_num_format("0.00"),
            day: middle(boxed()).set_num_format("yyyy-mm-dd"),
            sign: base(),
        }
    }
}

fn fill(page: &mut Worksheet, sheet: &Sheet, table: &Table<'_>) -> Result<(), XlsxError> {
    let formats = Formats::new();
    let last = column(table.header.len().saturating_sub(1))?;
    across(page, 0, last, &sheet.title, &formats.title)?;
    page.set_row_height(0, 28)?;
    across(page, 1, last, &sheet.stamp.join("    "), &formats.note)?;
    for (at, heading) in table.header.iter().enumerate() {
        page.write_string_with_format(HEADER_ROW, column(at)?, &heading.label, &formats.header)?;
    }
    let mut row = HEADER_ROW;
    for line in &table.lines {
        row += 1;
        for (at, cell) in line.iter().enumerate() {
            put(page, (row, column(at)?), cell, &formats)?;
        }
    }
    for text in &sheet.footer {
        row += 1;
        across(page, row, last, text, &formats.note)?;
    }
    let sign: Vec<String> = sheet.sign.iter().map(|text| format!("{text}:")).collect();
    across(page, row + 2, last, &sign.join(&" ".repeat(24)), &formats.sign)?;
    for (at, width) in widths(&table.header, &table.lines).into_iter().enumerate() {
        let width = u32::try_from(width).map_err(|_| XlsxError::RowColumnLimitError)?;
        page.set_column_width(column(at)?, width + 2)?;
    }
    set_up(page)
}

fn set_up(page: &mut Worksheet) -> Result<(), XlsxError> {
    page.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
    page.set_margins(0.5, 0.5, 0.6, 0.6, 0.3, 0.3);
    page.set_repeat_rows(HEADER_ROW, HEADER_ROW)?;
    page.set_freeze_panes(HEADER_ROW + 1, 0)?;
    let (before, between, after) = (word("page"), word("of_pages"), word("pages"));
    page.set_footer(format!("&C{before} &P {between} &N {after}"));
    Ok(())
}

fn column(at: usize) -> Result<u16, XlsxError> {
    u16::try_from(at).map_err(|_| XlsxError::RowColumnLimitError)
}

/// Text over all columns; the format does not merge a single cell.
fn across(
    page: &mut Worksheet,
    row: u32,
    last: u16,
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if last == 0 {
        page.write_string_with_format(row, 0, text, format)?;
    } else {
        page.merge_range(row, 0, row, last, text, format)?;
    }
    Ok(())
}

fn put(
    page: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match &cell.shown {
        // What is disputed is not to be summed.
        Shown::Number { value, decimals }
            if !cell.disputed && value.unsigned_abs() <= EXACT_MAX =>
        {
            let whole = 10i64.pow(*decimals);
            let format = if value % whole == 0 { &formats.whole } else { &formats.hundredths };
            page.write_number_with_format(row, column, *value as f64 / whole as f64, format)?;
        }
        Shown::Day(day) if !cell.disputed && excel_day(*day).is_ok() => {
            page.write_datetime_with_format(row, column, &excel_day(*day)?, &formats.day)?;
        }
        Shown::Empty | Shown::Text(_) | Shown::Number { .. } | Shown::Day(_) => {
            page.write_string_with_format(row, column, cell.text(), &formats.text)?;
        }
    }
    Ok(())
}

fn excel_day(day: Day) -> Result<ExcelDateTime, XlsxError> {
    let (year, month, day) = day.civil();
    let part = |number: u32| u8::try_from(number).unwrap_or_default();
    ExcelDateTime::from_ymd(u16::try_from(year).unwrap_or_default(), part(month), part(day))
}
