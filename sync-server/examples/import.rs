//! Makes a large table of medical bills, or reads one and counts its rows: to measure how long reading takes and
//! what memory it needs, with the system's own clock (`/usr/bin/time -v`).
//!
//!     import make bills.csv 1000000
//!     import read bills.csv [keep]
//!
//! `keep` holds all typed rows at once; without it they pass by one at a time.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rust_xlsxwriter::Workbook;
use wanhu_core::domain::identity::check_character;
use wanhu_server::import::outcome::Summary;
use wanhu_server::import::profile::{Kind, Profile};
use wanhu_server::import::rows::{Rows, read_rows};
use wanhu_server::import::table::Table;

const HEADER: [&str; 13] = [
    "姓名",
    "身份证号码",
    "住院/门诊",
    "疾病",
    "入院日期",
    "出院日期",
    "总费用",
    "基本医保报销",
    "大病保险",
    "医疗救助",
    "自付",
    "医院",
    "单据号",
];
const FAMILY_NAMES: [&str; 8] = ["陈", "李", "王", "黄", "曹", "邓", "何", "雷"];
const GIVEN_NAMES: [&str; 8] = ["永昌", "秀英", "建国", "桂花", "志强", "小红", "德福", "春梅"];
const DISEASES: [&str; 5] =
    ["高血压3级", "2型糖尿病", "肺恶性肿瘤", "慢性肾功能不全", "急性上呼吸道感染"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", path, rows] if path.ends_with(".xlsx") => make_xlsx(path, rows.parse()?),
        ["make", path, rows] => make_csv(path, rows.parse()?),
        ["read", path] => read(path.as_ref(), false),
        ["read", path, "keep"] => read(path.as_ref(), true),
        _ => Err("import make PATH ROWS | import read PATH [keep]".into()),
    }
}

fn read(path: &Path, keep: bool) -> Result<(), Box<dyn Error>> {
    let table = Table::read(path)?;
    let profile = Profile::of(Kind::Medical).ok_or("no profile")?;
    if keep {
        let (rows, faults, _) = read_rows(&table, profile)?;
        println!("{} rows taken, {} not", rows.len(), faults.len());
        return Ok(());
    }
    let mut summary = Summary::default();
    for outcome in Rows::new(&table, profile)? {
        summary.count(&outcome);
    }
    println!("{summary:?}");
    Ok(())
}

fn make_csv(path: &str, rows: u32) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "{}", HEADER.join(","))?;
    for row in 0..rows {
        writeln!(out, "{}", bill(row)?.join(","))?;
    }
    Ok(out.flush()?)
}

fn make_xlsx(path: &str, rows: u32) -> Result<(), Box<dyn Error>> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, HEADER)?;
    for row in 0..rows {
        for (column, cell) in (0..).zip(bill(row)?) {
            // Amounts are numbers, everything else is text.
            match cell.parse::<f64>() {
                Ok(amount) if (6..11).contains(&column) => sheet.write(row + 1, column, amount)?,
                _ => sheet.write(row + 1, column, cell)?,
            };
        }
    }
    Ok(book.save(path)?)
}

/// One bill; three in a thousand are faulty.
fn bill(row: u32) -> Result<[String; 13], Box<dyn Error>> {
    let person = row / 3;
    let digits = format!(
        "431022{}{:02}{:02}{:03}",
        1940 + person % 70,
        person / 70 % 12 + 1,
        person / 840 % 28 + 1,
        person / 23_520 % 1000
    );
    let check = check_character(&digits).ok_or("no digits")?;
    let pick =
        |words: &[&str], at: u32| words[usize::try_from(at).unwrap_or(0) % words.len()].to_owned();
    let total = 30_000 + row * 37 % 5_000_000;
    let yuan = |fen: u32| format!("{}.{:02}", fen / 100, fen % 100);
    let day = row % 28 + 1;
    Ok([
        pick(&FAMILY_NAMES, person) + &pick(&GIVEN_NAMES, person / 8),
        if row.is_multiple_of(333) { "4.31022E+17".into() } else { format!("{digits}{check}") },
        pick(&["住院", "门诊"], row),
        pick(&DISEASES, row),
        format!("2020-{:02}-{day:02}", row % 12 + 1),
        format!("2020/{}/{day}", row % 12 + 1),
        yuan(total),
        yuan(total / 2),
        yuan(total / 10),
        yuan(total / 20),
        yuan(total - total / 2 - total / 10 - total / 20),
        "桂阳县第一人民医院".into(),
        format!("JS2020{row:09}"),
    ])
}
