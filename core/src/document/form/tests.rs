//! Forms against the record: none asks for what it does not hold, and each says what the sample households hold.

use serde::Deserialize;

use super::*;
use crate::document::change::Change;
use crate::document::draft::{FieldEdit, Origin, draft};
use crate::document::facts::facts;
use crate::document::fold::Fold;
use crate::document::genesis::ContainerIndex;
use crate::domain::ids::{ActorId, HouseholdId};
use crate::domain::notice;
use crate::domain::region::RegionList;
use crate::domain::schema::words;
use crate::domain::value::Value;

mod decisions;
mod properties;

const VILLAGE: u64 = 431_022_208_217;

fn frame() -> Frame<'static> {
    Frame {
        schema: Schema::base(),
        regions: RegionList::chenzhou(),
        area: 431_022,
        as_of: "2020-11-30".parse().unwrap(),
        read_from: ReadFrom::Log(LogPlace {
            n: 1_234,
            epoch: [0x9f, 0x3a, 0x0c, 0x1b, 5, 6, 7, 8],
        }),
    }
}

fn form(id: &str) -> &'static Template {
    Template::shipped().iter().find(|form| form.id == id).unwrap()
}

/// Sets fields as one person's change.
fn save(fold: &Fold, author: u8, fields: &[(String, String, Value)]) -> Fold {
    let edits: Vec<FieldEdit> = fields
        .iter()
        .map(|(container, key, value)| FieldEdit {
            container: ContainerIndex::of(container).unwrap(),
            key: key.clone(),
            value: Some(value.clone()),
        })
        .collect();
    let origin = Origin { actor: ActorId([author; 16]), time_ms: 0, message: String::new() };
    let mut fold = fold.clone();
    fold.apply(&Change::decode(&draft(&fold, &edits, &origin).unwrap()).unwrap());
    fold
}

fn one(container: &str, key: &str, value: impl Into<Value>) -> [(String, String, Value); 1] {
    [(container.into(), key.into(), value.into())]
}

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

fn samples() -> Vec<(HouseholdId, Fold, Facts)> {
    let samples: Samples = toml::from_str(include_str!("../../../forms/samples.toml")).unwrap();
    let read = |sample: Sample| {
        let fields = sample.fields.into_iter().map(|(name, value)| {
            let (container, key) = name.split_once('.').unwrap();
            let value = match value {
                toml::Value::String(text) => Value::Text(text),
                toml::Value::Integer(number) => Value::Int(number),
                toml::Value::Boolean(tick) => Value::Bool(tick),
                toml::Value::Float(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => panic!("{name} is of no kind a record holds"),
            };
            (container.to_owned(), key.to_owned(), value)
        });
        let fields: Vec<_> = fields.collect();
        for (container, key, value) in &fields {
            let field = key.rsplit('.').next().unwrap();
            assert_eq!(Schema::base().check(container, field, value), Ok(()), "{container}.{key}");
        }
        let fold = save(&Fold::default(), 1, &fields);
        let facts = facts(&fold, sample.village);
        (sample.id.parse().unwrap(), fold, facts)
    };
    samples.household.into_iter().map(read).collect()
}

fn sheet(form: &Template, households: &[(HouseholdId, Fold, Facts)]) -> Sheet {
    project(form, &frame(), households.iter().map(|(id, fold, facts)| (*id, fold, facts)))
}

fn texts(part: &SheetPart) -> Vec<Vec<String>> {
    part.rows.iter().map(|row| row.cells.iter().map(Cell::text).collect()).collect()
}

#[test]
fn every_form_of_this_release_asks_only_for_what_is_on_record() {
    let ids: Vec<&str> = Template::shipped().iter().map(|form| form.id.as_str()).collect();
    assert_eq!(
        ids,
        ["department", "survey", "village", "members", "measures", "notice", "decisions"]
    );
    for form in Template::shipped() {
        assert!(form.columns().all(|column| !column.zh.is_empty()), "{}", form.id);
        assert!(!form.sign.is_empty() && !form.zh.is_empty() && !form.en.is_empty());
    }
    for derived in Derived::ALL {
        assert!(words("derived", derived.code()).is_some(), "{}", derived.code());
    }
    for (container, field) in Derived::Measures.reads().iter().chain(Derived::HelpInYear.reads()) {
        let shown = notice::showing(Schema::base(), container, field);
        assert_eq!(shown, Some(notice::Showing::Plain), "{container}.{field}");
    }
    for decision in [Stage::Monitored, Stage::Closed, Stage::Reopened] {
        assert!(words("decision", decision.code()).is_some(), "{decision:?}");
    }
}

/// A form of one part, as a file says it.
fn text_of(id: &str, kind: &str, head: &str, columns: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = 1\nzh = \"x\"\nen = \"x\"\nkind = \"{kind}\"\nsign = []\n{head}\n\
         [[part]]\ncolumns = [{columns}]"
    )
}

fn written(kind: &str, head: &str, columns: &str) -> Result<usize, FormError> {
    let text = text_of("x", kind, head, columns);
    Template::parse(Schema::base(), &text).map(|form| form.parts.len())
}

fn column(from: &str) -> String {
    format!("{{ from = \"{from}\" }}")
}

#[test]
fn forms_that_do_not_fit_the_record_are_refused() {
    let list = |from: &str| written("village_list", "", &column(from));
    assert_eq!(list("basic.head_name"), Ok(1));
    assert_eq!(list("measures.title"), Ok(1), "what all rows say");
    assert_eq!(
        list("basic.favourite_colour"),
        Err(FormError::UnknownSource("basic.favourite_colour".into()))
    );
    assert_eq!(list("luck"), Err(FormError::UnknownSource("luck".into())));
    assert_eq!(list("visits.photo"), Err(FormError::OutOfPlace("visits.photo".into())));
    let twice = format!("{},{}", column("stage"), column("stage"));
    assert_eq!(written("village_list", "", &twice), Err(FormError::Twice("stage".into())));
    let foreign = written("per_member", "", &column("visits.date"));
    assert_eq!(foreign, Err(FormError::OutOfPlace("visits.date".into())));
    let masked = written("village_list", "", "{ from = \"income.wage_fen\", masked = true }");
    assert_eq!(masked, Err(FormError::OutOfPlace("income.wage_fen".into())));
    for (kind, from, summed) in [
        ("village_list", "income.wage_fen", true),
        ("village_list", "help_in_year_fen", true),
        ("per_measure", "measures.amount_fen", true),
        ("village_list", "measures.amount_fen", false),
        ("village_list", "basic.head_name", false),
        ("village_list", "decided_on", false),
    ] {
        let read = written(kind, "", &format!("{{ from = \"{from}\", total = true }}"));
        let expected = if summed { Ok(1) } else { Err(FormError::OutOfPlace(from.into())) };
        assert_eq!(read, expected, "{from}");
    }
    let tag = written("village_list", "filter = { tag = \"no_such\" }", &column("stage"));
    assert_eq!(tag, Err(FormError::UnknownSource("tag_no_such".into())));
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let malformed = |text: &str| match Template::parse(Schema::base(), text) {
        Err(FormError::Malformed { line, reason }) => (line, reason),
        other => panic!("{other:?}"),
    };
    let (line, reason) = malformed(&text_of("x", "village_list", "colour = 1", &column("stage")));
    assert_eq!(line, 7);
    assert!(reason.contains("colour"), "{reason}");
    assert_eq!(malformed("id = \"x\"\nversion = one").0, 2);
    let (line, reason) = malformed("version = 1\nid = \"x\"");
    assert_eq!(line, 0, "about the whole");
    assert!(reason.contains("zh"), "{reason}");
    assert_eq!(malformed(&text_of("x", "no_such", "", "")).0, 5);
}

#[test]
fn every_reason_against_a_form_has_words() {
    let name = || "x".to_owned();
    for error in [
        FormError::Malformed { line: 3, reason: name() },
        FormError::UnknownSource(name()),
        FormError::NotPublic(name()),
        FormError::OutOfPlace(name()),
        FormError::Twice(name()),
        FormError::Parts,
        FormError::Unnameable(name()),
        FormError::Shipped(name()),
    ] {
        let known = words("form_error", error.code()).unwrap();
        for text in [&known.zh, &known.en] {
            assert_eq!(text.contains("{subject}"), !error.subject().is_empty(), "{text}");
        }
    }
}

#[test]
fn a_form_of_an_offices_own_has_a_name_of_its_own() {
    let own = |id: &str| {
        let text = text_of(id, "village_list", "", &column("stage"));
        Template::parse_own(Schema::base(), &text).map(|form| form.stamp())
    };
    assert_eq!(own("county_list"), Ok("county_list/1".into()));
    assert_eq!(own("县级台账-2024"), Ok("县级台账-2024/1".into()));
    for shipped in Template::shipped() {
        assert_eq!(own(&shipped.id), Err(FormError::Shipped(shipped.id.clone())));
    }
    for id in ["", "village/1", "own.toml", "a b"] {
        assert_eq!(own(id), Err(FormError::Unnameable(id.into())));
    }
}

#[test]
fn a_public_form_shows_selects_and_counts_only_what_may_be_known() {
    const PUBLIC: &str = "public = true\nfilter = \"decided\"";
    for private in [
        "basic.phone",
        "basic.address",
        "members.name",
        "members.identity_number",
        "members.health",
        "class.risk_1",
        "measures.member",
        "people_count",
        "net_income_fen",
    ] {
        let refused = written("village_list", PUBLIC, &column(private));
        assert_eq!(refused, Err(FormError::NotPublic(private.into())));
    }
    assert_eq!(written("village_list", PUBLIC, &column("basic.head_name")), Ok(1));
    for undecided in ["all", "monitored", "open"] {
        let head = format!("public = true\nfilter = \"{undecided}\"");
        let refused = written("village_list", &head, &column("basic.head_name"));
        assert_eq!(refused, Err(FormError::NotPublic(undecided.into())), "who was turned down");
    }
    let selected = |tag: &str, public: bool| {
        let head = format!("public = {public}\nfilter = {{ tag = \"{tag}\" }}");
        written("village_list", &head, &column("basic.head_name"))
    };
    assert_eq!(selected("serious_illness", false), Ok(1));
    let refused = Err(FormError::NotPublic("tag_serious_illness".into()));
    assert_eq!(selected("serious_illness", true), refused, "who stands there is ill");
    let counted = |kind: &str| written(kind, PUBLIC, &column("sequence"));
    assert_eq!(counted("per_member"), Err(FormError::NotPublic("members".into())));
    assert_eq!(counted("per_measure"), Ok(1));
}

#[test]
fn what_its_source_has_taken_back_is_on_no_form_and_in_no_sum() {
    let summed = "{ from = \"spending.kind\" }, { from = \"spending.self_pay_fen\", total = true }";
    let bills = text_of("bills", "per_household", "", "")
        .replace("columns = []", &format!("over = \"spending\"\ncolumns = [{summed}]"));
    let bills = Template::parse_own(Schema::base(), &bills).unwrap();
    let listed = ["clues.risk", "warnings.risk", "spending.disease"].map(column).join(",");
    let listed = text_of("listed", "village_list", "", &listed);
    let listed = Template::parse_own(Schema::base(), &listed).unwrap();
    let (id, fold, old) = samples().remove(0);
    let household = |fold: &Fold| [(id, fold.clone(), facts(fold, old.village))];
    let rows = [
        ("spending", "w.kind", "accident"),
        ("spending", "w.disease", "injury"),
        ("clues", "w.risk", "accident"),
        ("warnings", "w.risk", "accident"),
    ];
    let rows = rows.map(|(container, key, value)| (container.into(), key.into(), value.into()));
    let delivered =
        save(&fold, 1, &[&rows[..], &one("spending", "w.self_pay_fen", 6_000_000)].concat());
    let withdrawn = ["spending", "clues", "warnings"];
    let withdrawn = withdrawn.map(|container| one(container, "w.withdrawn", true)).concat();
    let withdrawn = save(&delivered, 1, &withdrawn);
    for form in [&bills, &listed, form("department"), form("survey")] {
        let said = |fold: &Fold| sheet(form, &household(fold));
        let (before, during, after) = (said(&fold), said(&delivered), said(&withdrawn));
        let all = |sheet: &Sheet| sheet.parts.iter().map(texts).collect::<Vec<_>>();
        assert_ne!(all(&before), all(&during), "{}", form.id);
        assert_eq!((all(&before), &before.footer), (all(&after), &after.footer), "{}", form.id);
        assert_eq!(stale(&during.households, &after.households), [id], "{}", form.id);
        assert_eq!(stale(&before.households, &after.households), [], "{}", form.id);
    }
}

#[test]
fn a_list_shows_codes_as_labels_amounts_as_yuan_and_days() {
    let households = samples();
    let ledger = sheet(form("measures"), &households);
    assert_eq!(ledger.title, "帮扶措施台账");
    assert_eq!(
        ledger.stamp,
        [
            "范围:宜章县",
            "数据截至:2020-11-30",
            "户数:2",
            "日志序号:1234/9f3a0c1b",
            "表号:measures/2"
        ]
    );
    assert_eq!(ledger.parts[0].header[8].label, "金额(元)");
    let lines = texts(&ledger.parts[0]);
    assert_eq!(lines.len(), 7);
    assert_eq!(
        lines[0],
        [
            "1",
            "陈永昌",
            "福岭村",
            "公益性岗位",
            "村级保洁员",
            "陈永昌",
            "2020-02-20",
            "",
            "500",
            "每月",
            "",
            "",
            "",
            "",
            "人社",
            "正在落实",
            "是"
        ],
        "the earliest first"
    );
    let people = sheet(form("members"), &households);
    let named: Vec<String> = texts(&people.parts[0])
        .into_iter()
        .map(|line| format!("{} {}", line[3], line[6]))
        .collect();
    assert_eq!(
        named[..2],
        ["陈永昌 **************1230", "文秀芬 **************0020"],
        "the head first"
    );
}

#[test]
fn a_page_a_household_has_its_own_numbers_and_lines() {
    let department = sheet(form("department"), &samples());
    let income = texts(&department.parts[1]);
    assert_eq!(income[0], ["40660.50", "10165.12", "", "12000"]);
    let members = &department.parts[2];
    assert_eq!(members.rows.len(), 7);
    assert_eq!(members.rows[4].household, department.households[1].0);
    assert_eq!(members.rows[4].cells[0].text(), "1", "each household counts from one");
}

#[test]
fn the_notice_shows_what_it_may_and_nothing_else() {
    let notice = sheet(form("notice"), &samples());
    assert_eq!(
        texts(&notice.parts[0]),
        [
            [
                "1",
                "陈*昌",
                "福岭村",
                "三组",
                "脱贫不稳定户",
                "拟纳入监测",
                "村内公示",
                "综合保障、公益性岗位、保险分红、其他教育帮扶"
            ],
            [
                "2",
                "陈*建",
                "金盆村",
                "上金盆",
                "边缘易致贫户",
                "拟消除风险",
                "村内公示",
                "综合保障、义务教育保障"
            ],
        ]
    );
}

#[test]
fn a_filter_leaves_out_who_does_not_belong() {
    let mut households = samples();
    let none = save(&households[0].1, 1, &one("class", "monitored_kind", ""));
    let away = save(&households[1].1, 1, &one("basic", "status", "moved_away"));
    let running = [(households[1].0, away.clone(), facts(&away, VILLAGE))];
    assert_eq!(sheet(form("village"), &running).households.len(), 1, "its case still runs");
    let gone = save(&households[1].1, 1, &one("basic", "status", "merged"));
    households[0] = (households[0].0, none.clone(), facts(&none, VILLAGE));
    households[1] = (households[1].0, gone.clone(), facts(&gone, VILLAGE));
    assert!(sheet(form("village"), &households).households.is_empty());
    assert_eq!(
        sheet(form("notice"), &households).households.len(),
        1,
        "on notice, not yet decided"
    );
    let tagged =
        Template { filter: Filter::Tag("serious_illness".into()), ..form("village").clone() };
    assert_eq!(sheet(&tagged, &samples()).households.len(), 1);
    let open = Template { filter: Filter::Open, ..form("village").clone() };
    assert_eq!(sheet(&open, &samples()).households.len(), 1);
}

#[test]
fn a_value_with_others_beside_it_is_marked_except_on_a_notice() {
    let (id, fold, _) = samples().remove(0);
    let change = |author: u8, name: &str| {
        let edits = FieldEdit {
            container: ContainerIndex::of("basic").unwrap(),
            key: "head_name".into(),
            value: Some(name.into()),
        };
        let origin = Origin { actor: ActorId([author; 16]), time_ms: 0, message: String::new() };
        Change::decode(&draft(&fold, &[edits], &origin).unwrap()).unwrap()
    };
    let mut both = fold.clone();
    both.apply(&change(2, "陈永长"));
    both.apply(&change(3, "陈永畅"));
    let facts = facts(&both, VILLAGE);
    let households = [(id, both, facts)];
    let village = sheet(form("village"), &households);
    assert_eq!(village.parts[0].rows[0].cells[1].text(), "陈永畅※");
    assert_eq!(village.footer[0], "※ 有不同填报值,请核实");
    assert_eq!(sheet(form("notice"), &households).parts[0].rows[0].cells[1].text(), "陈*畅");
}

#[test]
fn what_is_stale_is_named() {
    let old = sheet(form("village"), &samples());
    let changed = |container: &str, key: &str, value: &str| {
        let mut households = samples();
        let fold = save(&households[1].1, 1, &one(container, key, value));
        households[1] = (households[1].0, fold.clone(), facts(&fold, households[1].2.village));
        stale(&old.households, &sheet(form("village"), &households).households)
    };
    let second = vec![samples()[1].0];
    assert_eq!(changed("class", "risk_level", "low"), second);
    assert_eq!(changed("members", "m3.presence", "left"), second, "people are counted");
    assert_eq!(changed("basic", "status", "merged"), second, "it is on the list no more");
    assert_eq!(changed("basic", "status", "moved_away"), [], "its case still runs");
    assert_eq!(changed("living", "fuel", "gas"), []);
    assert_eq!(changed("basic", "phone", "13000004321"), [], "the end that is shown is the same");
    let first_alone = sheet(form("village"), &samples()[..1]);
    assert_eq!(stale(&first_alone.households, &old.households), second);
    let last_alone = sheet(form("village"), &samples()[1..]);
    assert_eq!(
        stale(&last_alone.households, &old.households),
        [samples()[0].0],
        "whatever its number"
    );
    let next = Template { version: 2, ..form("village").clone() };
    assert_eq!(stale(&old.households, &sheet(&next, &samples()).households).len(), 2);
}
