//! Every form in every format from the sample households: what the sheet says is what the file says.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use serde::Deserialize;
use wanhu_core::document::change::Change;
use wanhu_core::document::draft::{FieldEdit, Origin, draft};
use wanhu_core::document::facts::facts;
use wanhu_core::document::fold::Fold;
use wanhu_core::document::form::{Frame, LogPlace, ReadFrom, Template, project};
use wanhu_core::document::genesis::ContainerIndex;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::ActorId;
use wanhu_core::domain::notice::masked_name;
use wanhu_core::domain::region::RegionList;
use wanhu_core::domain::schema::{FieldKind, Schema};
use wanhu_core::domain::value::Value;

use super::*;

#[cfg(feature = "pdf-check")]
mod paper;

type Household = (HouseholdId, Fold, Facts);

#[derive(Deserialize)]
struct Samples {
    household: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    id: String,
    village: u64,
    fields: toml::Table,
}

fn save(fields: &[(String, Value)], id: HouseholdId, village: u64) -> Household {
    let edits = fields.iter().map(|(name, value)| {
        let (container, key) = name.split_once('.').unwrap();
        let container = ContainerIndex::of(container).unwrap();
        FieldEdit { container, key: key.to_owned(), value: Some(value.clone()) }
    });
    let origin = Origin { actor: ActorId([1; 16]), time_ms: 0, message: String::new() };
    let mut fold = Fold::default();
    let change = draft(&fold, &edits.collect::<Vec<_>>(), &origin).unwrap();
    fold.apply(&Change::decode(&change).unwrap());
    let facts = facts(&fold, village);
    (id, fold, facts)
}

fn samples() -> Vec<Household> {
    let text = include_str!("../../../core/forms/samples.toml");
    let samples: Samples = toml::from_str(text).unwrap();
    let read = |sample: Sample| {
        let value = |value: toml::Value| match (value.as_str(), value.as_integer(), value.as_bool())
        {
            (Some(text), _, _) => text.into(),
            (_, Some(number), _) => Value::Int(number),
            (_, _, Some(tick)) => Value::Bool(tick),
            _ => panic!("a record holds no {value}"),
        };
        let fields = sample.fields.into_iter().map(|(name, given)| (name, value(given)));
        save(&fields.collect::<Vec<_>>(), sample.id.parse().unwrap(), sample.village)
    };
    samples.household.into_iter().map(read).collect()
}

fn sheet(id: &str, households: &[Household]) -> Sheet {
    let form = Template::shipped().iter().find(|form| form.id == id).unwrap();
    let frame = Frame {
        schema: Schema::base(),
        regions: RegionList::chenzhou(),
        area: 4310,
        as_of: "2020-11-30".parse().unwrap(),
        read_from: ReadFrom::Log(LogPlace {
            n: 1_234,
            epoch: [0x9f, 0x3a, 0x0c, 0x1b, 5, 6, 7, 8],
        }),
    };
    project(form, &frame, households.iter().map(|(id, fold, facts)| (*id, fold, facts)))
}

/// All that a workbook says.
fn workbook_text(bytes: &[u8]) -> String {
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    let cells = |page: &calamine::Range<Data>| {
        page.rows().flatten().map(ToString::to_string).collect::<Vec<_>>().join("|")
    };
    book.worksheets().iter().map(|(name, page)| format!("{name}|{}", cells(page))).collect()
}

fn csv_text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_form_in_every_spreadsheet_says_what_the_sheet_says() {
    for form in Template::shipped() {
        let sheet = sheet(&form.id, &samples());
        let texts =
            [csv_text(&csv::write(&sheet).unwrap()), workbook_text(&xlsx::write(&sheet).unwrap())];
        for text in &texts {
            for cell in sheet.parts.iter().flat_map(|part| &part.rows).flat_map(|row| &row.cells) {
                // Days and amounts are the spreadsheet's own.
                if let Shown::Text(shown) = &cell.shown {
                    assert!(text.contains(shown.as_str()), "{}: {shown}", form.id);
                }
            }
            for part in &sheet.parts {
                assert!(part.header.iter().all(|head| text.contains(&head.label)), "{}", form.id);
            }
            assert!(sheet.codes().values().all(|code| text.contains(code)), "{}", form.id);
            assert!(text.contains(&sheet.title) && text.contains("数据截至:2020-11-30"));
            assert!(text.contains("日志序号:1234/9f3a0c1b"), "{}", form.id);
            assert!(sheet.sign.iter().all(|line| text.contains(line)));
        }
    }
}

#[test]
fn a_csv_begins_with_its_mark_and_its_header() {
    let text = csv_text(&csv::write(&sheet("members", &samples())).unwrap());
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}序号,户主姓名,村,姓名,"));
    assert!(lines[1].starts_with("1,陈永昌,福岭村,陈永昌,户主,男,**************1230,"));
    assert!(lines[2].starts_with("2,陈永昌,福岭村,文秀芬,配偶,"));
}

#[test]
fn a_workbook_holds_numbers_days_and_identity_numbers_as_what_they_are() {
    let bytes = xlsx::write(&sheet("department", &samples())).unwrap();
    let mut book = Xlsx::new(Cursor::new(bytes.as_slice())).unwrap();
    let names = book.sheet_names();
    assert_eq!(names.len(), 5);
    assert_eq!(names[2], "3 家庭成员");
    let at = |page: &calamine::Range<Data>, row: u32, column: u32| {
        page.get_value((row, column)).cloned().unwrap_or_default()
    };
    let income = book.worksheet_range(&names[1]).unwrap();
    assert_eq!(at(&income, 0, 0), Data::String("防返贫监测部门信息表".into()));
    assert_eq!(at(&income, 3, 0), Data::String("陈永昌".into()), "whose line it is");
    assert_eq!(at(&income, 3, 1), Data::Float(40_660.5));
    let members = book.worksheet_range(&names[2]).unwrap();
    assert_eq!(at(&members, 3, 4), Data::String("431022197203151230".into()));
    let spending = book.worksheet_range(&names[3]).unwrap();
    assert!(matches!(at(&spending, 3, 5), Data::DateTime(day) if day.as_f64() == 43_654.0));
}

#[test]
fn a_cell_never_is_a_formula() {
    let given = [
        ("basic.head_name", "=1+1"),
        ("basic.status", "active"),
        ("class.monitored_kind", "sudden"),
    ];
    let fields = given.map(|(name, value)| (name.to_owned(), value.into()));
    let households = [save(&fields, HouseholdId([3; 16]), 431_022_208_217)];
    let sheet = sheet("village", &households);
    let bytes = xlsx::write(&sheet).unwrap();
    let mut book = Xlsx::new(Cursor::new(bytes.as_slice())).unwrap();
    let page = book.worksheet_range("Sheet1").unwrap();
    assert_eq!(page.get_value((3, 1)), Some(&Data::String("=1+1".into())));
    assert!(book.worksheet_formula("Sheet1").unwrap().is_empty());
    assert!(csv_text(&csv::write(&sheet).unwrap()).contains(",'=1+1,"));
}

#[test]
fn the_same_sheet_is_the_same_file() {
    let made = || {
        let sheet = sheet("survey", &samples());
        (csv::write(&sheet).unwrap(), xlsx::write(&sheet).unwrap())
    };
    assert_eq!(made(), made());
}

/// What must not hang on a wall, each as it stands in every text of a record.
const SECRETS: [&str; 7] = [
    "431022197203151230",
    "13812345678",
    "138-1234-5678",
    "6222021901001234567",
    "糖尿病",
    "恶性肿瘤",
    "尘肺及肺病",
];

fn public_forms() -> impl Iterator<Item = &'static Template> {
    Template::shipped().iter().filter(|form| form.public)
}

/// A household long decided about and on notice again, whose every text says this.
fn telling(secret: &str) -> Household {
    let steps = [
        ("r1", "monitored", ""),
        ("r2", "to_close", "r1"),
        ("r3", "verified", "r2"),
        ("r4", "appraised", "r3"),
        ("r5", "on_notice", "r4"),
    ];
    let steps = steps.into_iter().flat_map(|(row, state, after)| {
        [(format!("steps.{row}.state"), state.into()), (format!("steps.{row}.after"), after.into())]
    });
    let texts = Schema::base().fields().filter(|(container, field)| {
        let own = matches!(
            (container.name.as_str(), field.name.as_str()),
            ("basic", "status") | ("steps", _)
        );
        !own && !matches!(field.kind, FieldKind::Tick | FieldKind::Number { .. })
    });
    let texts = texts.map(|(container, field)| {
        let row = if container.rows { ".r1" } else { "" };
        (format!("{}{row}.{}", container.name, field.name), format!("补助{secret}元").into())
    });
    save(
        &steps.chain(texts).collect::<Vec<(String, Value)>>(),
        HouseholdId([9; 16]),
        431_022_208_217,
    )
}

/// The same without what a reader does not see.
fn seen(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn no_notice_in_a_spreadsheet_tells_a_secret() {
    for (secret, form) in SECRETS.iter().flat_map(|secret| public_forms().map(move |f| (secret, f)))
    {
        let sheet = sheet(&form.id, &[telling(secret)]);
        assert_eq!(sheet.households.len(), 1, "{}", form.id);
        for text in
            [csv_text(&csv::write(&sheet).unwrap()), workbook_text(&xlsx::write(&sheet).unwrap())]
        {
            assert!(!seen(&text).contains(secret), "{}: {secret} in {text}", form.id);
            // The head's name, as much as a wall shows of it.
            let name = masked_name(&format!("补助{secret}元"));
            assert!(matches!(name.as_str(), "补*" | "补****元"), "{name}");
            assert!(text.contains(&name), "{text}");
        }
    }
}
