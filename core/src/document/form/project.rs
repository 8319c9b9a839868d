//! Filling in a form: a pure function from households to a sheet. Must not decide what a value means; the facts
//! and the domain's rules say so.

use super::sheet::{Cell, Heading, LogPlace, Sheet, SheetPart, SheetRow, Shown, digest};
use super::{Column, Derived, FormKind, Part, Source, Template, WITHDRAWN};
use crate::document::fold::{Fold, differ};
use crate::document::genesis::ContainerIndex;
use crate::document::record::{self, row_key};
use crate::domain::day::Day;
use crate::domain::facts::{Facts, Row};
use crate::domain::help::Help;
use crate::domain::ids::HouseholdId;
use crate::domain::notice::{self, STRUCK, Scrubber, Showing};
use crate::domain::region::RegionList;
use crate::domain::schema::{Field, FieldKind, Schema, words};
use crate::domain::value::Value;
use crate::domain::workflow::{Case, Phase};

/// What a sheet is made for.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The record.
    pub schema: &'a Schema,
    /// Names of the areas.
    pub regions: &'a RegionList,
    /// The area it is about.
    pub area: u64,
    /// The day whose record it shows.
    pub as_of: Day,
    /// What the record was read from.
    pub read_from: ReadFrom,
}

/// What a sheet rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// A server's log, as far as it reached.
    Log(LogPlace),
    /// A phone, which was last in step with its server on this day; it has what nobody has logged yet, and lacks what came since.
    Phone(Day),
}

/// Units of which the record counts hundredths of what people read.
const HUNDREDTHS: [&str; 3] = ["fen", "centimu", "square_decimetres"];

/// Fills in a form. The households come in the order in which they shall stand; those that the form's filter
/// leaves out may be among them. `Facts` must be those of the `Fold` beside them.
pub fn project<'a>(
    template: &Template,
    frame: &Frame<'a>,
    households: impl IntoIterator<Item = (HouseholdId, &'a Fold, &'a Facts)>,
) -> Sheet {
    let mut parts: Vec<SheetPart> =
        template.parts.iter().map(|part| empty_part(frame.schema, part)).collect();
    let form = template.stamp();
    let mut digests = Vec::new();
    for (id, fold, facts) in households {
        if !template.filter.holds(facts) {
            continue;
        }
        let filler = Filler::of(template, frame, fold, facts);
        let filled: Vec<Vec<Vec<Cell>>> = template
            .parts
            .iter()
            .zip(&parts)
            .map(|(part, table)| {
                let before =
                    if template.kind == FormKind::PerHousehold { 0 } else { table.rows.len() };
                filler.part(part, before)
            })
            .collect();
        let told: Vec<_> = parts
            .iter()
            .zip(&filled)
            .map(|(part, rows)| (part.header.as_slice(), rows.as_slice()))
            .collect();
        digests.push((id, digest(&form, &told)));
        for (part, rows) in parts.iter_mut().zip(filled) {
            part.rows.extend(rows.into_iter().map(|cells| SheetRow { household: id, cells }));
        }
    }
    let disputed = parts.iter().flat_map(|part| &part.rows).flat_map(|row| &row.cells);
    let disputed = disputed.into_iter().any(|cell| cell.disputed);
    let note = disputed.then(|| word("sheet", "disputed"));
    let totals = template.parts.iter().zip(&parts).flat_map(|(part, table)| totals(part, table));
    Sheet {
        title: template.zh.clone(),
        kind: template.kind,
        public: template.public,
        as_of: frame.as_of,
        stamp: stamp(frame, digests.len(), &form),
        form,
        footer: totals
            .chain(note)
            .chain([template.footer.clone()])
            .filter(|l| !l.is_empty())
            .collect(),
        parts,
        households: digests,
        sign: template.sign.clone(),
    }
}

fn word(list: &str, code: &str) -> String {
    words(list, code).map_or_else(String::new, |word| word.zh.clone())
}

fn stamp(frame: &Frame<'_>, count: usize, form: &str) -> Vec<String> {
    let said = |code: &str, value: String| format!("{}:{value}", word("sheet", code));
    let made_from = [
        said("area", path(frame.regions, frame.area)),
        said("as_of", frame.as_of.to_string()),
        said("households", count.to_string()),
    ];
    let read_from = match frame.read_from {
        ReadFrom::Log(log) => said("log", log.to_string()),
        ReadFrom::Phone(synced_on) => said("synced_on", synced_on.to_string()),
    };
    made_from.into_iter().chain([read_from, said("form", form.to_owned())]).collect()
}

/// The sums of the columns that ask for one: `本年金额(元)合计:24720`.
fn totals(part: &Part, table: &SheetPart) -> Vec<String> {
    let total = |(at, _): (usize, &Column)| {
        let cells = || table.rows.iter().filter_map(|row| row.cells.get(at));
        let numbers = cells().filter_map(|cell| match cell.shown {
            Shown::Number { value, decimals } => Some((value, decimals)),
            Shown::Empty | Shown::Text(_) | Shown::Day(_) => None,
        });
        // Amounts of one column have one unit.
        let (value, decimals) =
            numbers.fold((0i64, 0), |(sum, _), (value, of)| (sum.saturating_add(value), of));
        let disputed = cells().any(|cell| cell.disputed);
        let sum = Cell { shown: Shown::Number { value, decimals }, disputed }.text();
        Some(format!("{}{}:{sum}", table.header.get(at)?.label, word("sheet", "total")))
    };
    let asked = part.columns.iter().enumerate().filter(|(_, column)| column.total);
    asked.filter_map(total).collect()
}

/// Names from the county down, or all there are of a larger area.
fn path(regions: &RegionList, area: u64) -> String {
    let names = regions.path(area);
    // Province and city go without saying inside a county.
    names.get(2..).filter(|names| !names.is_empty()).unwrap_or(&names).concat()
}

fn empty_part(schema: &Schema, part: &Part) -> SheetPart {
    let header = part.columns.iter().map(|column| heading(schema, column)).collect();
    let (title, over_rows) = (part.zh.clone(), !part.over.is_empty());
    SheetPart { title, over_rows, header, rows: Vec::new() }
}

fn heading(schema: &Schema, column: &Column) -> Heading {
    let unit = match &column.from {
        Source::Derived(derived) => derived.unit(),
        Source::Field(container, field) => match schema.field(container, field).map(|f| &f.kind) {
            Some(FieldKind::Number { unit, .. }) => unit,
            Some(
                FieldKind::Tick
                | FieldKind::Choice { .. }
                | FieldKind::Text { .. }
                | FieldKind::Date
                | FieldKind::Photo
                | FieldKind::Id,
            )
            | None => "",
        },
    };
    let unit_word = word("unit", unit);
    let label = if unit_word.is_empty() {
        column.zh.clone()
    } else {
        format!("{}({unit_word})", column.zh)
    };
    let is_sequence = column.from == Source::Derived(Derived::Sequence);
    Heading { label, is_amount: !unit.is_empty(), is_sequence }
}

/// One household on its way into a form.
struct Filler<'a> {
    template: &'a Template,
    frame: &'a Frame<'a>,
    fold: &'a Fold,
    facts: &'a Facts,
    /// For free text on a notice.
    scrubber: Option<Scrubber>,
}

impl<'a> Filler<'a> {
    fn of(template: &'a Template, frame: &'a Frame<'a>, fold: &'a Fold, facts: &'a Facts) -> Self {
        let scrubber = template.public.then(|| Scrubber::of(facts));
        Self { template, frame, fold, facts, scrubber }
    }

    /// The lines of a part, numbered after those there are.
    fn part(&self, part: &Part, before: usize) -> Vec<Vec<Cell>> {
        let line = |number: usize, row: Option<&Row>| {
            let cell = |column| self.cell(column, before + number + 1, row);
            part.columns.iter().map(cell).collect()
        };
        if part.over.is_empty() {
            return vec![line(0, None)];
        }
        let mut rows = self.rows(&part.over);
        if let Some(Source::Field(_, field)) = &part.order {
            rows.sort_by_key(|row| self.place(&part.over, field, row));
        }
        rows.into_iter().enumerate().map(|(number, row)| line(number, Some(row))).collect()
    }

    /// The rows that count: of members those who live there, of all others those that their source has not taken back.
    fn rows(&self, container: &str) -> Vec<&'a Row> {
        let rows = self.facts.rows(container).iter();
        match container {
            "members" => self.facts.people().collect(),
            _ if self.frame.schema.field(container, WITHDRAWN).is_none() => rows.collect(),
            _ => rows.filter(|row| !row.tick(WITHDRAWN)).collect(),
        }
    }

    /// Where a row stands by this field: codes in the order of their list, nothing at the end.
    fn place(&self, container: &str, field: &str, row: &Row) -> (bool, usize, Option<Value>) {
        let value = record::value(self.fold, container, &row_key(&row.id, field)).cloned();
        let kind = self.frame.schema.field(container, field).map(|field| &field.kind);
        let codes = match kind {
            Some(FieldKind::Choice { list }) => self.frame.schema.code_list(list),
            _ => None,
        };
        let code = value.as_ref().and_then(Value::as_text);
        let at =
            codes.and_then(|l| l.codes.iter().position(|known| Some(known.code.as_str()) == code));
        (value.is_none(), at.unwrap_or(usize::MAX), value)
    }

    fn cell(&self, column: &Column, number: usize, row: Option<&Row>) -> Cell {
        match &column.from {
            Source::Derived(derived) => self.derived(*derived, number),
            Source::Field(container, name) => {
                let Some(field) = self.frame.schema.field(container, name) else {
                    return Cell { shown: Shown::Empty, disputed: false };
                };
                self.field(container, field, column.masked, row)
            }
        }
    }

    fn field(&self, container: &str, field: &Field, masked: bool, row: Option<&Row>) -> Cell {
        let is_rows = ContainerIndex::of(container).is_some_and(ContainerIndex::has_rows);
        let of_key = |key: &str| Cell {
            shown: self.show(container, field, masked, record::value(self.fold, container, key)),
            disputed: self.disputed(container, key),
        };
        match row {
            _ if !is_rows => of_key(&field.name),
            Some(row) => of_key(&row_key(&row.id, &field.name)),
            None => {
                let rows = self.rows(container).into_iter();
                Cell::listed(rows.map(|row| of_key(&row_key(&row.id, &field.name))), "")
            }
        }
    }

    /// On a notice nothing is marked: it says what was decided, not who wrote what.
    fn disputed(&self, container: &str, key: &str) -> bool {
        let entries = ContainerIndex::of(container).map(|index| self.fold.entries(index, key));
        !self.template.public && entries.is_some_and(|entries| differ(entries.as_slice()))
    }

    fn show(&self, container: &str, field: &Field, masked: bool, value: Option<&Value>) -> Shown {
        let Some(value) = value else { return Shown::Empty };
        let showing = match &self.scrubber {
            None => Some(Showing::Plain),
            // The form was checked when it was read; the notice holds whatever was forgotten there.
            Some(_) => notice::showing(self.frame.schema, container, &field.name),
        };
        let Some(showing) = showing else { return Shown::Empty };
        let shown = self.plain(field, value);
        let Shown::Text(text) = shown else { return shown };
        let is_free = matches!(field.kind, FieldKind::Text { .. });
        Shown::Text(match (showing, &self.scrubber) {
            (Showing::MaskedName, _) => notice::masked_name(&text),
            (Showing::Hamlet, Some(scrubber)) => scrubber.hamlet(&text),
            (Showing::Hamlet, None) => text,
            (Showing::Plain, _) if masked && field.name.ends_with("name") => {
                notice::masked_name(&text)
            }
            (Showing::Plain, _) if masked => notice::masked_number(&text),
            (Showing::Plain, Some(scrubber)) if is_free => scrubber.scrub(&text),
            (Showing::Plain, _) => text,
        })
    }

    fn plain(&self, field: &Field, value: &Value) -> Shown {
        match (&field.kind, value) {
            (FieldKind::Tick, Value::Bool(tick)) => {
                Shown::Text(word("sheet", if *tick { "yes" } else { "no" }))
            }
            (FieldKind::Number { unit, .. }, Value::Int(value)) => amount(unit, *value),
            (FieldKind::Choice { list }, Value::Text(code)) => {
                match (self.frame.schema.code(list, code), &self.scrubber) {
                    (Some(known), _) => Shown::Text(known.zh.clone()),
                    // A code of a later release.
                    (None, None) => Shown::Text(code.clone()),
                    (None, Some(_)) => Shown::Text(STRUCK.to_owned()),
                }
            }
            (FieldKind::Date, Value::Text(day)) => day.parse().map_or(Shown::Empty, Shown::Day),
            (FieldKind::Id, Value::Text(id)) => self.named(&field.name, id),
            (FieldKind::Text { .. }, Value::Text(text)) => Shown::Text(text.clone()),
            // Refused where it is saved and where it is received.
            _ => Shown::Empty,
        }
    }

    /// The name of whom an id refers to: a member of the household, or one of its cadres.
    fn named(&self, field: &str, id: &str) -> Shown {
        let found = if field == "member" {
            self.facts.row("members", id)
        } else {
            self.facts.rows("cadres").iter().find(|cadre| cadre.text("account") == id)
        };
        let name = found.map_or("", |row| row.text("name"));
        if name.is_empty() { Shown::Empty } else { Shown::Text(name.to_owned()) }
    }

    fn derived(&self, derived: Derived, number: usize) -> Cell {
        if derived == Derived::Measures {
            let told = self.facts.rows("measures").iter().map(|row| self.measure(row));
            return Cell::listed(told, &word("sheet", "times"));
        }
        let facts = self.facts;
        let fen = |value: Option<i64>| value.map_or(Shown::Empty, |value| amount("fen", value));
        let text = |text: String| if text.is_empty() { Shown::Empty } else { Shown::Text(text) };
        let count = |value: i64| Shown::Number { value, decimals: 0 };
        let shown = match derived {
            Derived::Sequence => count(i64::try_from(number).unwrap_or(i64::MAX)),
            Derived::AreaPath => text(path(self.frame.regions, facts.village)),
            Derived::Village => text(
                self.frame.regions.get(facts.village).map_or_else(String::new, |r| r.name.clone()),
            ),
            Derived::Stage => text(self.stage()),
            Derived::Proposal => text(self.proposal()),
            Derived::Decision => text(self.decision()),
            Derived::DecidedOn => self.decided_on().map_or(Shown::Empty, Shown::Day),
            // Told above, each measure with what is disputed about it.
            Derived::Measures => Shown::Empty,
            Derived::HelpInYear => {
                let help = Help::of(facts, self.frame.as_of.civil().0);
                fen((!help.measures.is_empty()).then_some(help.total_fen))
            }
            Derived::PeopleCount => count(facts.people_count()),
            Derived::NetIncome => fen(facts.net_income_fen()),
            Derived::NetIncomePerPerson => fen(facts.net_income_per_person_fen()),
        };
        let disputed = |(container, field): &(&str, &str)| match *container {
            "income" | "case" => self.disputed(container, field),
            "measures" => {
                let mut rows = facts.rows(container).iter();
                rows.any(|row| self.disputed(container, &row_key(&row.id, field)))
            }
            _ => false,
        };
        Cell { shown, disputed: derived.reads().iter().any(disputed) }
    }

    fn stage(&self) -> String {
        let stage = Case::of(self.facts).stage();
        let code = stage.and_then(|stage| self.frame.schema.code("case_state", stage.code()));
        code.map_or_else(String::new, |code| code.zh.clone())
    }

    /// A measure in a few words, none of them somebody's own: 综合保障(正在落实,每月280元).
    fn measure(&self, row: &Row) -> Cell {
        let cells = ["kind", "status", "period", "amount_fen"].map(|name| {
            let field = self.frame.schema.field("measures", name);
            let empty = Cell { shown: Shown::Empty, disputed: false };
            field.map_or(empty, |field| self.field("measures", field, false, Some(row)))
        });
        let disputed = cells.iter().any(|cell| cell.disputed);
        let [kind, status, period, amount] =
            cells.map(|cell| Cell { disputed: false, ..cell }.text());
        let unit = if amount.is_empty() { String::new() } else { word("unit", "fen") };
        let how = [status, format!("{period}{amount}{unit}")];
        let how: Vec<_> = how.into_iter().filter(|part| !part.is_empty()).collect();
        let how = how.join(",");
        let told = if how.is_empty() { kind } else { format!("{kind}({how})") };
        let shown = if told.is_empty() { Shown::Empty } else { Shown::Text(told) };
        Cell { shown, disputed }
    }

    /// What was decided; of a case of a past campaign, that it was carried over, as its step states that day.
    fn decision(&self) -> String {
        let case = Case::of(self.facts);
        let code = case.decision().map(|decision| decision.stage.code());
        let code = if case.is_carried_over() { Some("carried_over") } else { code };
        code.map_or_else(String::new, |code| word("decision", code))
    }

    /// Since when that holds. The step that carries a case over states the day of doing so: the campaign decided when
    /// it identified the household.
    fn decided_on(&self) -> Option<Day> {
        let case = Case::of(self.facts);
        let identified = self.facts.day("case", "identified_on").filter(|_| case.is_carried_over());
        identified.or_else(|| case.decision().and_then(|decision| decision.on))
    }

    fn proposal(&self) -> String {
        let case = Case::of(self.facts);
        match case.place() {
            _ if !case.is_running() => String::new(),
            (Phase::Entry, _) => word("phase", "entry"),
            (Phase::Exit, _) => word("phase", "exit"),
        }
    }
}

fn amount(unit: &str, value: i64) -> Shown {
    Shown::Number { value, decimals: if HUNDREDTHS.contains(&unit) { 2 } else { 0 } }
}
