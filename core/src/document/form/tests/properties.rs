//! For whatever a record holds: which forms a change makes stale, and what never reaches a notice.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::day::Day;
use crate::domain::schema::Field;

/// A value of a field that differs for each `variant` below seven, also where only its ends are shown.
fn value_of(at: usize, field: &Field, row: &str, variant: usize) -> Value {
    let number = i64::try_from(at * 10 + variant).unwrap();
    match &field.kind {
        FieldKind::Tick => Value::Bool(variant.is_multiple_of(2)),
        FieldKind::Choice { list } => {
            let codes = &Schema::base().code_list(list).unwrap().codes;
            codes[variant % codes.len()].code.as_str().into()
        }
        FieldKind::Number { max: Some(max), .. } => Value::Int(number % max),
        FieldKind::Number { max: None, .. } => Value::Int(number * 1_000),
        // Any other text counts as none on a notice.
        FieldKind::Text { .. } if field.name == "natural_village" => {
            ["上洞", "大塘", "石桥", "樟木冲", "老屋场", "井边", "水口"][variant].into()
        }
        // Nothing that stands behind a name shows on a notice.
        FieldKind::Text { .. } if matches!(field.name.as_str(), "name" | "head_name") => {
            let names = ["陈永昌", "周长根", "文秀芬", "何满妹", "邓文华", "胡甫武", "李解放"];
            let more = ["谭冬秀", "曾国强", "雷小满", "廖桂英", "欧阳萱", "段水生", "邝爱莲"];
            if row == "r2" { more[variant].into() } else { names[variant].into() }
        }
        FieldKind::Text { .. } => {
            let end = ['己', '庚', '辛', '壬', '癸', '子', '丑'][variant];
            format!("{at:03}{row}乙丙丁戊{end}").into()
        }
        FieldKind::Date => Day(18_000 + i32::try_from(number).unwrap()).to_string().into(),
        FieldKind::Photo => format!("{variant}").into(),
        FieldKind::Id if field.name == "member" => ["r1", "r2"][variant % 2].into(),
        FieldKind::Id => format!("a{variant}").into(),
    }
}

/// Steps behind a clue and a visit until the household, long decided about, is on notice again: it stands on every form.
const ON_THE_WAY_OUT: [(&str, &str, &str); 9] = [
    ("r3", "appraised", "r2"),
    ("r4", "on_notice", "r3"),
    ("r5", "township_check", "r4"),
    ("r6", "county_decision", "r5"),
    ("r7", "monitored", "r6"),
    ("r8", "to_close", "r7"),
    ("r9", "verified", "r8"),
    ("ra", "appraised", "r9"),
    ("rb", "on_notice", "ra"),
];

/// A household of which everything is known: two rows in each container of rows.
fn full() -> Fold {
    let mut fields = Vec::new();
    for (at, (container, field)) in Schema::base().fields().enumerate() {
        let rows: &[&str] = if container.rows { &["r1", "r2"] } else { &[""] };
        for (variant, row) in rows.iter().enumerate() {
            let value = match (container.name.as_str(), field.name.as_str()) {
                ("basic", "status") => "active".into(),
                ("members", "presence") => "present".into(),
                (_, WITHDRAWN) => false.into(),
                ("class", "monitored_kind") => "unstable".into(),
                ("steps", "state") => ["clue", "verified"][variant].into(),
                ("steps", "after") => ["", "r1"][variant].into(),
                _ => value_of(at, field, row, variant),
            };
            let key =
                if container.rows { format!("{row}.{}", field.name) } else { field.name.clone() };
            fields.push((container.name.clone(), key, value));
        }
    }
    let mut more = |row: &str, state: &str, after: &str| {
        fields.push(("steps".into(), format!("{row}.state"), state.into()));
        fields.push(("steps".into(), format!("{row}.after"), after.into()));
    };
    for (row, state, after) in ON_THE_WAY_OUT {
        more(row, state, after);
    }
    save(&Fold::default(), 1, &fields)
}

fn digest_of(form: &Template, fold: &Fold) -> Vec<(HouseholdId, Digest)> {
    sheet(form, &[(HouseholdId([7; 16]), fold.clone(), facts(fold, VILLAGE))]).households
}

/// Fields that decide something besides being shown: a change of them may show or not.
fn only_decides(container: &str, field: &str) -> bool {
    matches!(
        (container, field),
        ("basic", "status")
            | ("members", "presence")
            | ("class", "monitored_kind")
            | ("steps", "state" | "after" | "on" | "level")
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_change_makes_exactly_those_forms_stale_that_show_it(
        which in any::<prop::sample::Index>(),
        second in any::<bool>(),
        variant in 0..7usize,
    ) {
        let all: Vec<_> = Schema::base().fields().enumerate().collect();
        let (at, (container, field)) = all[which.index(all.len())];
        let row = if !container.rows { "" } else if second { "r2" } else { "r1" };
        let key = if container.rows { format!("{row}.{}", field.name) } else { field.name.clone() };
        let before = full();
        let value = value_of(at, field, row, variant);
        let index = ContainerIndex::of(&container.name).unwrap();
        prop_assume!(before.get(index, &key) != Some(&value));
        let after = save(&before, 1, &[(container.name.clone(), key, value)]);
        for form in Template::shipped() {
            let (old, new) = (digest_of(form, &before), digest_of(form, &after));
            prop_assert_eq!(old.len(), 1, "{} shows the household", &form.id);
            let is_stale = !stale(&old, &new).is_empty();
            let shown = form.columns().any(|column| column.from.reads(&container.name, &field.name));
            let told = shown || form.names(&container.name, &field.name)
                || (container.name == "basic" && field.name == "status")
                || (field.name == WITHDRAWN && form.lists(&container.name));
            prop_assert!(told || !is_stale || form.reads(&container.name, &field.name));
            // Another day of a measure may leave the year's sum as it was, and no past campaign decided about this household.
            let may_tell = [Derived::HelpInYear, Derived::DecidedOn].map(Source::Derived);
            let shows_it = |column: &Column| {
                !may_tell.contains(&column.from)
                    && column.from.reads(&container.name, &field.name)
            };
            let only_counts = shown && !form.columns().any(shows_it);
            if !only_counts && !only_decides(&container.name, &field.name) {
                prop_assert_eq!(is_stale, told, "{} {}.{}", &form.id, &container.name, &field.name);
            }
        }
    }

    #[test]
    fn what_must_not_hang_on_a_wall_never_does(
        seeds in proptest::collection::vec(seed(), 1..4),
        name in prop::sample::select(vec!["陈永昌", "文秀芬", "欧阳永昌", "阿依古丽·买买提"]),
    ) {
        let mut fields = Vec::new();
        for (at, (container, field)) in Schema::base().fields().enumerate() {
            let seed = &seeds[at % seeds.len()];
            let keys = if container.rows { vec![format!("r1.{}", field.name)] } else { vec![field.name.clone()] };
            let decides = matches!(
                (container.name.as_str(), field.name.as_str()),
                ("basic", "status") | ("steps", "state" | "after")
            );
            // A code, a day or an id may be anything a phone of another release or a broken one sent.
            let takes_text = !matches!(field.kind, FieldKind::Tick | FieldKind::Number { .. });
            if takes_text && !decides {
                let text = format!("{}{}{}{name}", seed.before, seed.secret, seed.after);
                fields.extend(keys.into_iter().map(|key| (container.name.clone(), key, text.as_str().into())));
            }
        }
        fields.push(("members".into(), "r2.name".into(), name.into()));
        let first = [("r1", "clue", ""), ("r2", "verified", "r1")];
        for (row, state, after) in first.into_iter().chain(ON_THE_WAY_OUT) {
            fields.push(("steps".into(), format!("{row}.state"), state.into()));
            fields.push(("steps".into(), format!("{row}.after"), after.into()));
        }
        let fold = save(&Fold::default(), 1, &fields);
        let household = [(HouseholdId([7; 16]), fold.clone(), facts(&fold, VILLAGE))];
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let hung: Vec<Sheet> =
            Template::shipped().iter().filter(|form| form.public).map(|form| sheet(form, &household)).collect();
        prop_assert_eq!(hung.len(), 2);
        for sheet in hung {
            prop_assert_eq!(sheet.households.len(), 1, "{}", &sheet.form);
            let shown = texts(&sheet.parts[0]).concat().join("|");
            prop_assert!(!shown.contains(name), "{name} in {shown}");
            for seed in &seeds {
                prop_assert!(!shown.contains(&seed.secret), "{} in {shown}", seed.secret);
                let number = digits(&seed.secret);
                prop_assert!(number.is_empty() || !digits(&shown).contains(&number), "{} in {shown}", seed.secret);
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Seed {
    before: String,
    secret: String,
    after: String,
}

/// Something that must not be read, as people write it, with something harmless round it.
fn seed() -> impl Strategy<Value = Seed> {
    let identity =
        (1_u64..99, 1_u64..12, 1_u64..28, 100_u64..999).prop_map(|(year, month, day, order)| {
            let first = format!("4310221{:03}{month:02}{day:02}{order}", 900 + year % 100);
            let check = crate::domain::identity::check_character(&first).unwrap();
            format!("{first}{check}")
        });
    let phone = (30_u64..99, 0_u64..100_000_000).prop_map(|(net, own)| format!("1{net}{own:08}"));
    let grouped = (130_u64..199, 0_u64..10_000, 0_u64..10_000)
        .prop_map(|(net, first, second)| format!("{net}-{first:04} {second:04}"));
    let card = (0_u64..10_u64.pow(15)).prop_map(|own| format!("6222{own:015}"));
    let diseases: Vec<String> = Schema::base()
        .code_list("disease")
        .unwrap()
        .codes
        .iter()
        .filter(|code| code.code != "other")
        .map(|code| code.zh.clone())
        .collect();
    let secret = prop_oneof![identity, phone, grouped, card, prop::sample::select(diseases)];
    let around =
        || prop::sample::select(vec!["", "补助", "(", "每月500元", ",", "2020-03-01 ", "村 "]);
    (around(), secret, around()).prop_map(|(before, secret, after)| Seed {
        before: before.into(),
        secret,
        after: after.into(),
    })
}

#[test]
fn what_only_decides_is_little() {
    let asked: BTreeSet<String> = Template::shipped()
        .iter()
        .flat_map(|form| {
            let fields = Schema::base().fields();
            let silent = fields.filter(|(c, f)| {
                form.reads(&c.name, &f.name)
                    && !form.columns().any(|column| column.from.reads(&c.name, &f.name))
                    && !form.names(&c.name, &f.name)
            });
            silent.map(|(c, f)| format!("{}.{}", c.name, f.name)).collect::<Vec<_>>()
        })
        .collect();
    let expected = [
        "basic.status",
        "class.monitored_kind",
        "members.name",
        "members.presence",
        "spending.withdrawn",
        "steps.after",
        "steps.level",
        "steps.on",
        "steps.state",
    ];
    assert_eq!(asked.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
