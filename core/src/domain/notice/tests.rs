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
        ("431022197003150017", "*"),
        ("陈永昌13800000000", "陈*昌"),
        ("陈昌-癌症", "陈*"),
        ("陈永昌（精神残疾）", "陈*昌"),
        ("阿依古丽·买买提", "阿****提"),
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
        ("138,0000,0004", "＊＊＊"),
        ("138，0000、0004", "＊＊＊"),
        ("138(0000)0004", "＊＊＊"),
        ("幺三八零零零零零零零四", "＊＊＊"),
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
fn who_may_not_read_the_fields_for_it_does_not_read_it_in_free_text_either() {
    let facts = Facts::of(431_022_208_217).with_row("members", "a", &[("name", "文秀芬".into())]);
    let note = Schema::base().field("visits", "note").unwrap();
    let told = |role, field: &Field, text: &str| {
        let scrubber = Scrubber::for_role(role, &facts);
        scrubber.map(|scrubber| scrubber.scrub_field("visits", field, text))
    };
    let text = "文秀芬在家,患乳腺癌,电话13812345678";
    for role in [Role::VillageCadre, Role::TownshipOffice, Role::CountyOffice, Role::Household] {
        assert_eq!(told(role, note, text), None, "{role:?} may read all of it");
    }
    let city = told(Role::City, note, text);
    assert_eq!(city.as_deref(), Some("文秀芬在家,＊＊＊,电话＊＊＊"), "who names people");
    let department = told(Role::Department, note, text);
    assert_eq!(department.as_deref(), Some("＊＊＊在家,＊＊＊,电话＊＊＊"));
    for (container, field) in [("basic", "household_number"), ("visits", "date")] {
        let field = Schema::base().field(container, field).unwrap();
        let kept = told(Role::Department, field, "43102200012345");
        assert_eq!(kept.as_deref(), Some("43102200012345"), "nobody words it");
    }
}

#[test]
fn every_word_of_the_records_lists_about_health_is_struck_out() {
    let schema = Schema::base();
    let words = ["disease", "health", "disability_kind", "disability_grade"]
        .map(|list| schema.code_list(list).unwrap())
        .into_iter()
        .flat_map(|list| &list.codes)
        .filter(|code| !matches!(code.code.as_str(), "other" | "healthy"));
    let whole =
        [("labour", "lost"), ("labour", "none"), ("risk", "illness"), ("risk", "disability")];
    let whole = whole.map(|(list, code)| schema.code(list, code).unwrap());
    for code in words.chain(whole) {
        for part in code.zh.split(['及', '或']) {
            assert_eq!(family().scrub(&format!("曾{part}补助")), STRUCK, "{}", code.code);
            assert_eq!(family().hamlet(&format!("{part}村")), STRUCK, "{}", code.code);
        }
    }
    let tags = ["tag_serious_illness", "tag_severe_disability"];
    for label in tags.map(|tag| &schema.field("class", tag).unwrap().zh) {
        assert_eq!(family().scrub(label), STRUCK);
    }
}

#[test]
fn illnesses_go_by_whatever_name() {
    for text in [
        "乙肝",
        "重病",
        "盲人",
        "智障",
        "残障",
        "脑瘫",
        "低视力",
        "矽肺",
        "麻风村",
        "心脏支架",
        "帕金森",
        "红斑狼疮",
        "地中海贫血",
        "自闭症",
        "羊角风",
        "Ca晚期",
        "肺ＣＡ",
        "怀孕",
        "流产",
        "瘫痪户",
        "疯子屋",
        "肾衰",
        "HIV阳性",
        "癔症",
        "疝气",
        "老年痴呆",
        "跛子",
        "轮椅",
        "吸毒",
        "cA 术后",
        "乙 肝",
        "乙-肝",
    ] {
        assert_eq!(family().scrub(text), STRUCK, "{text}");
    }
    for text in [
        "县残联",
        "残疾人联合会",
        "疾控中心",
        "县医疗保障局",
        "精神文明办",
        "Cadre",
        "防疫站",
        "福岭小学",
    ] {
        assert_eq!(family().scrub(text), text, "an office, or nothing of the kind");
    }
}

#[test]
fn a_hamlet_shows_by_its_name() {
    for name in [
        "三组",
        "8组",
        "第12组",
        "138组",
        "１２组",
        "八",
        "8",
        "组7",
        "福岭",
        "福岭村三组",
        "上金盆",
        "上金盆八组",
        "大屋组",
        "团结组",
        "石桥铺村民小组",
        "一队",
        "新屋里",
        "茶山背",
        "井边",
        "水口",
        "枫树下",
        "上村",
        "李家",
        "欧阳家",
        "安置点",
        "福泉安置点",
        "易地扶贫搬迁集中安置点",
        "和谐社区",
        "",
    ] {
        assert_eq!(family().hamlet(name), name);
    }
    assert_eq!(family().hamlet(" 三组 "), "三组");
}

#[test]
fn what_somebody_typed_in_place_of_a_hamlet_does_not_show() {
    for text in [
        "三组,卡号6222021901001234567",
        "138,0000,0004",
        "138.0000.0004",
        "138，0000，0004",
        "电话1380000",
        "一三八零零零零零零零四",
        "138組0000組0004",
        "1380",
        "四三一〇二二组",
        "李家(轮椅)",
        "欠债未还",
        "儿子在坐牢",
        "县医院",
        "敬老院",
        "精神病院旁",
        "癌症村",
        "麻风村",
        "哑巴塘",
        "驼背",
        "肾结石",
        "Li Ming",
        "oxygen",
        "三个孩子的家",
        "住院三个月才回村",
        "丈夫在外打工不回家",
        "离异",
        "贫困户",
        "离婚组",
        "低保组",
        "残疾人康复社区",
        "刑满释放人员安置点",
        "欧阳文家",
        "全家老小七口人",
    ] {
        assert_eq!(family().hamlet(text), STRUCK, "{text}");
    }
    assert_eq!(family().hamlet("文秀芬屋"), "＊＊＊屋", "named after whom it must not name");
}
