//! The compiled schema keeps its promises, and a county can add to it by data alone.

use super::*;
use crate::document::genesis::ContainerIndex;
use crate::domain::value::Value;

#[test]
fn compiled_files_parse_and_match_the_genesis_containers() {
    let schema = Schema::base();
    let containers = schema.containers.iter().map(|c| (c.name.as_str(), c.rows));
    let genesis = ContainerIndex::all().map(|index| (index.name(), index.has_rows()));
    assert_eq!(containers.collect::<Vec<_>>(), genesis.collect::<Vec<_>>());
}

#[test]
fn more_than_half_of_all_fields_are_ticks_or_choices() {
    let (ticked, all) = Schema::base().ticks_and_choices();
    assert!(ticked * 2 > all, "{ticked} of {all}");
}

#[test]
fn names_are_unique_and_every_list_is_used_and_bilingual() {
    let schema = Schema::base();
    for container in &schema.containers {
        let mut names: Vec<_> = container.fields.iter().map(|field| &field.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), container.fields.len(), "{}", container.name);
    }
    for list in &schema.code_lists {
        let used = |field: &Field| matches!(&field.kind, FieldKind::Choice { list: used } if *used == list.name);
        assert!(schema.fields().any(|(_, field)| used(field)), "nobody uses {}", list.name);
        assert!(list.codes.iter().all(|code| !code.zh.is_empty() && !code.en.is_empty()));
        assert!(list.codes.iter().all(|code| code.code.is_ascii()));
    }
    assert_eq!(schema.code_list("ethnicity").unwrap().codes.len(), 57);
    assert_eq!(schema.code_list("measure_kind").unwrap().codes.len(), 15);
}

/// A value that fits and one that does not, for every field there is.
#[test]
fn every_field_takes_a_fitting_value_and_refuses_another() {
    let schema = Schema::base();
    for (container, field) in schema.fields() {
        let (good, bad) = match &field.kind {
            FieldKind::Tick => (Value::Bool(true), Value::Int(1)),
            FieldKind::Choice { list } => {
                let code = &schema.code_list(list).unwrap().codes[0].code;
                (Value::Text(code.clone()), "no_such_code".into())
            }
            FieldKind::Number { min, .. } => (Value::Int(min.unwrap_or(7)), "seven".into()),
            FieldKind::Text { max } => {
                let long = "长".repeat(usize::try_from(*max).unwrap() + 1);
                ("值".into(), Value::Text(long))
            }
            FieldKind::Date => ("2020-02-29".into(), "2019-02-29".into()),
            FieldKind::Photo | FieldKind::Id => ("a1".into(), Value::Bool(false)),
        };
        let check = |value| schema.check(&container.name, &field.name, &value);
        assert_eq!(check(good), Ok(()), "{}.{}", container.name, field.name);
        assert_eq!(check(Value::Null), Ok(()), "{}.{}", container.name, field.name);
        assert!(check(bad).is_err(), "{}.{}", container.name, field.name);
    }
    assert_eq!(schema.check("basic", "nonsense", &Value::Null), Err(FaultReason::UnknownField));
}

#[test]
fn bounds_and_identity_numbers_are_checked() {
    let schema = Schema::base();
    let months = |months: i64| schema.check("members", "work_months", &Value::Int(months));
    assert_eq!(months(13), Err(FaultReason::TooLarge { max: 12 }));
    assert_eq!(months(-1), Err(FaultReason::TooSmall { min: 0 }));
    let identity = |text: &str| schema.check("members", "identity_number", &text.into());
    assert_eq!(identity("11010519491231002X"), Ok(()));
    assert_eq!(
        identity("110105194912310021"),
        Ok(()),
        "the checks ask about it, and the form is saved"
    );
    assert_eq!(identity("残疾证4311"), Ok(()), "other documents have other numbers");
}

#[test]
fn typed_text_becomes_values() {
    let schema = Schema::base();
    let typed = |container: &str, field: &str, text: &str| {
        schema.field(container, field).unwrap().parse_text(schema, text)
    };
    for (container, field, text, value) in [
        ("basic", "relocated", "是", Value::Bool(true)),
        ("basic", "relocated", "0", Value::Bool(false)),
        ("class", "risk_level", "高", "high".into()),
        ("class", "risk_level", "high", "high".into()),
        ("income", "wage_fen", "12000元", Value::Int(1_200_000)),
        ("income", "wage_fen", "12.5元", Value::Int(1_250)),
        ("income", "wage_fen", "1250", Value::Int(1_250)),
        ("visits", "date", "2020-03-01", "2020-03-01".into()),
        ("basic", "address", "  ", Value::Null),
    ] {
        assert_eq!(typed(container, field, text), Ok(value), "{text}");
    }
    for (container, field, text, reason) in [
        ("basic", "relocated", "maybe", FaultReason::WrongType),
        ("class", "risk_level", "很高", FaultReason::NotInList),
        ("income", "wage_fen", "12.345元", FaultReason::WrongType),
        ("income", "wage_fen", "-1元", FaultReason::TooSmall { min: 0 }),
        ("visits", "date", "2020-3-1", FaultReason::NotADate),
    ] {
        assert_eq!(typed(container, field, text), Err(reason), "{text}");
    }
}

#[test]
fn a_county_adds_fields_and_codes_by_data() {
    let fields = r#"
        version = 2
        [[container]]
        name = "local"
        zh = ""
        en = ""
        fields = [{ name = "tea", zh = "茶", en = "tea", kind = "choice", list = "tea", s = "internal", since = 2 }]
    "#;
    let codes = "[tea]\ngreen = [\"绿\", \"green\"]\n[asset]\nbees = [\"蜜蜂\", \"bees\"]";
    let schema = Schema::base().extended(fields, codes).unwrap();
    assert_eq!(schema.version, 2);
    assert_eq!(schema.check("local", "tea", &"green".into()), Ok(()));
    assert_eq!(schema.check("measures", "asset", &"bees".into()), Ok(()));
    let again = schema.extended(fields, "");
    assert_eq!(again, Err(SchemaError::Exists("local.tea".into())));
    let retyped = schema.extended("version = 2", "[asset]\npigs = [\"x\", \"y\"]");
    assert_eq!(retyped, Err(SchemaError::Exists("asset.pigs".into())));
    let stray = "version = 2\n[[container]]\nname = \"x\"\nzh = \"\"\nen = \"\"\nfields = []";
    assert_eq!(schema.extended(stray, ""), Err(SchemaError::UnknownContainer("x".into())));
    let listless = fields.replace("\"tea\", s", "\"coffee\", s");
    assert_eq!(
        Schema::base().extended(&listless, ""),
        Err(SchemaError::UnknownList("coffee".into()))
    );
}

#[test]
fn the_document_of_the_data_model_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/data-model.md");
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == Schema::base().to_markdown(),
        "run: cargo run -p wanhu-core --example data_model > docs/data-model.md"
    );
}
