//! What is struck out and what stays; that nothing personal can be admitted by the schema alone.

use super::*;

#[test]
fn names_are_masked_as_notices_do() {
    for (name, masked) in [
        ("陈永昌", "陈*昌"),
        ("陈昌", "陈*"),
        ("欧阳永昌", "欧**昌"),
        ("陈", "*"),
        ("", ""),
        (" 陈 永 昌 ", "陈*昌"),
        ("431022197003150017", "4****7"),
    ] {
        assert_eq!(masked_name(name), masked, "{name}");
    }
    assert_eq!(masked_number("431022197003150017"), "**************0017");
    assert_eq!(masked_number("12345"), "*****", "a short one would be given away by its end");
}

#[test]
fn only_public_fields_and_the_admitted_three_are_shown() {
    let schema = Schema::base();
    let shown = schema.fields().filter(|(c, f)| showing(schema, &c.name, &f.name).is_some());
    for (container, field) in shown {
        let name = (container.name.as_str(), field.name.as_str());
        let admitted =
            [("basic", "head_name"), ("basic", "natural_village"), ("class", "monitored_kind")];
        assert!(field.sensitivity == Sensitivity::Public || admitted.contains(&name), "{name:?}");
    }
    assert_eq!(showing(schema, "basic", "head_name"), Some(Showing::MaskedName));
    for (container, field) in [
        ("basic", "phone"),
        ("members", "name"),
        ("members", "health"),
        ("class", "risk_1"),
        ("living", "debt_fen"),
        ("living", "debt_lender"),
        ("no", "such"),
    ] {
        assert_eq!(showing(schema, container, field), None, "{container}.{field}");
    }
}

fn family() -> Scrubber {
    let members = Facts::of(431_022_208_217)
        .with("basic", "head_name", "陈永昌")
        .with_row("members", "a", &[("name", "文秀芬".into())])
        .with_row("members", "b", &[("name", "文".into())]);
    Scrubber::of(&members)
}

#[test]
fn numbers_illnesses_and_names_go() {
    for (text, scrubbed) in [
        ("电话13812345678联系", "电话＊＊＊联系"),
        ("138 1234-5678", "＊＊＊"),
        ("１３８１２３４５６７８", "＊＊＊"),
        ("138\u{200b}1234\u{200b}5678", "＊＊＊"),
        ("一三八一二三四五六七八", "＊＊＊"),
        ("座机3721234", "座机＊＊＊"),
        ("身份证43102219700315001X,已核", "身份证＊＊＊,已核"),
        ("431022-1970-03-15-0017", "＊＊＊"),
        ("卡号6222 0219 0100 1234 567", "卡号＊＊＊"),
        ("2020-03-01 13812345678", "＊＊＊"),
        ("低保,乳腺恶性肿瘤二期,补助", "低保,＊＊＊,补助"),
        ("糖 尿 病补助", "＊＊＊"),
        ("糖,尿病", "＊＊＊"),
        ("Lung　ＣＡＮＣＥＲ", "＊＊＊"),
        ("乳腺癌手术救助", "＊＊＊"),
        ("给文秀芬发放", "给＊＊＊发放"),
    ] {
        assert_eq!(family().scrub(text), scrubbed, "{text}");
    }
}

#[test]
fn what_a_notice_needs_stays() {
    for text in [
        "二类低保",
        "村级保洁员,每月500元",
        "产业分红5000元以上",
        "2020-03-01至2021-02-28",
        "2019.09-2020.06 助学金",
        "2020年3月1日",
        "三组12号",
        "文化扶贫",
        "油茶3.5亩,牛6头",
        "",
    ] {
        assert_eq!(family().scrub(text), text);
    }
}

#[test]
fn every_illness_on_the_list_is_known_by_its_name() {
    let diseases = Schema::base().code_list("disease").unwrap();
    for code in diseases.codes.iter().filter(|code| code.code != "other") {
        assert_eq!(family().scrub(&format!("因{}补助", code.zh)), STRUCK, "{}", code.code);
        assert_eq!(family().scrub(&code.en), STRUCK, "{}", code.code);
    }
    assert!(ILLNESSES.len() > 80, "the everyday names are read, too");
    assert!(ILLNESSES.iter().all(|name| name.chars().count() > 1 || name == "癌"));
}
