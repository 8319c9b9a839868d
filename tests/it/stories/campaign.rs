//! A county brings in what it has of an old campaign: its register of monitored households, as the earlier system exported
//! it, with all that such registers have wrong.

use super::*;
use serde_json::json;
use wanhu_core::domain::identity::check_character;
use wanhu_server::admin::{CampaignArguments, HouseholdFilter, Office};
use wanhu_server::watch::Phase;

const HEADER: Line<'static> = &[
    "序号",
    "县(市、区)",
    "乡镇",
    "行政村",
    "村民小组",
    "户编号",
    "户主姓名",
    "姓名",
    "与户主关系",
    "证件号码",
    "监测对象类别",
    "致贫返贫风险",
    "识别时间",
    "风险是否消除",
    "消除时间",
    "联系电话",
    "家庭人口",
];

/// The number of somebody born in 1960 in this county.
fn number(person: u32) -> String {
    let digits = format!("43102219600101{person:03}");
    format!("{digits}{}", check_character(&digits).unwrap())
}

struct Register {
    lines: Vec<Vec<String>>,
}

impl Register {
    /// Adds a person of a household of 福岭村 that was found marginal in March 2019.
    fn person(
        mut self,
        household: &str,
        head: &str,
        who: [&str; 3],
        more: &[(&str, &str)],
    ) -> Self {
        let [name, relation, number] = who;
        let mut line = vec![String::new(); HEADER.len()];
        let place = |title: &str| HEADER.iter().position(|known| *known == title).unwrap();
        for (title, cell) in [
            ("县(市、区)", "宜章县"),
            ("乡镇", "关溪乡"),
            ("行政村", "福岭村"),
            ("户编号", household),
            ("户主姓名", head),
            ("姓名", name),
            ("与户主关系", relation),
            ("证件号码", number),
            ("监测对象类别", "边缘易致贫户"),
            ("识别时间", "2019年3月5日"),
            ("风险是否消除", "否"),
        ]
        .iter()
        .chain(more)
        {
            line[place(title)] = (*cell).to_owned();
        }
        self.lines.push(line);
        self
    }

    fn save(&self, path: &Path) -> PathBuf {
        let lines: Vec<Vec<&str>> =
            self.lines.iter().map(|line| line.iter().map(String::as_str).collect()).collect();
        let lines: Vec<Line<'_>> =
            std::iter::once(HEADER).chain(lines.iter().map(Vec::as_slice)).collect();
        spreadsheet(path, "宜章县防返贫监测对象花名册", &lines)
    }
}

/// Six households of a village and one of another county, their rows out of order.
fn register() -> Register {
    let [li, wang, wang_son, zhou, he, liu, yang] = [1, 2, 3, 4, 5, 6, 7].map(number);
    Register { lines: Vec::new() }
        .person("102", "王五", ["王小五", "长子", &wang_son], &[("联系电话", "13800000002")])
        .person("101", "李四", ["李四", "户主", &li], &[("联系电话", "13800000001")])
        .person(
            "102",
            "王五",
            ["王五", "户主", &wang],
            &[("致贫返贫风险", "因病、缺劳动力"), ("联系电话", "13800000002"), ("家庭人口", "3")],
        )
        .person(
            "103",
            "周六",
            ["周六", "户主", &zhou],
            &[("风险是否消除", "是"), ("消除时间", "2020-01-10")],
        )
        .person("104", "何七", ["何七", "户主", &he], &[])
        .person("105", "无号", ["无号", "户主", ""], &[])
        .person("106", "刘八", ["刘八", "户主", &liu], &[("行政村", "早已撤并村")])
        .person(
            "107",
            "杨九",
            ["杨九", "户主", &yang],
            &[("县(市、区)", "临武县"), ("乡镇", "舜峰镇"), ("行政村", "金盆村")],
        )
}

/// Opens a record on a cadre's phone.
fn open(phone: &Ledger, name: &str, number: &str, more: &[&str]) -> HouseholdId {
    let [head, member] = ["basic.head_name", "members.name"].map(|field| format!("{field}={name}"));
    let number = format!("members.identity_number={number}");
    let mut fields = vec![head.as_str(), &member, "members.relation=户主", &number];
    fields.extend(more);
    phone.create_household(FULING, typed(&fields)).unwrap()
}

fn bring(county: &County, by: &str, with: &[&str], file: &Path, dry_run: bool) -> Json {
    let asked = CampaignArguments {
        file: file.to_owned(),
        with: with.iter().map(|id| (*id).to_owned()).collect(),
        campaign: Some("2019年“两摸底”".into()),
        profile: None,
        report: Some(file.with_extension("report.csv")),
        dry_run,
    };
    county.import(by, ImportCommand::Campaign(asked)).unwrap()
}

/// What became of the rows: number of the row and the Chinese words, up to the first comma.
fn report(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file.with_extension("report.csv")).unwrap();
    assert!(!text.contains(&number(1)), "no number stands in it whole");
    let lines = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    lines.map(|cells| (cells[0].to_owned(), cells[2].trim_matches('"').to_owned())).collect()
}

fn entries(county: &County) -> u64 {
    let villages = county.office("", AdminCommand::Stats).unwrap();
    villages.as_array().unwrap().iter().map(|village| village["entries"].as_u64().unwrap()).sum()
}

fn found(county: &County, name: &str) -> HouseholdId {
    let filter =
        HouseholdFilter { search: Some(name.into()), rows: 5, ..HouseholdFilter::default() };
    let list = county.listed("县局", AdminCommand::List(filter)).unwrap();
    assert_eq!(list.len(), 1, "{name}");
    list[0]["household"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_register_comes_on_record_once_and_every_row_is_accounted_for() {
    let county = people("2020-02-10", FULING, None).await;
    let li = county.phone("李明").await;
    let lisi = open(&li, "李四", &number(1), &["basic.phone=13900000009"]);
    let heqi = open(&li, "何七", &number(5), &["basic.household_number=104"]);
    sync(&li).await;
    let fields = ["class.monitored_kind=边缘易致贫户", "case.identified_on=2019-03-05"];
    let carried = Step { fields: &fields, reason: "以前转入", ..Step::default() };
    county.step("县局", heqi, "监测", carried).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let file = register().save(&dir.path().join("监测对象花名册.xlsx"));
    let before = entries(&county);
    let trial = bring(&county, "县局", &["乡政府"], &file, true);
    assert_eq!(entries(&county), before, "a trial writes nothing");
    let brought = bring(&county, "县局", &["乡政府"], &file, false);
    let counts = |brought: &Json| {
        ["rows", "skipped", "taken", "known", "not_taken", "opened", "filled", "carried"]
            .map(|what| brought[what].as_u64().unwrap())
    };
    assert_eq!(counts(&brought), [10, 2, 4, 1, 3, 2, 1, 3]);
    assert_eq!(counts(&trial), counts(&brought), "and says what would be written");
    assert_eq!((&trial["findings"], &trial["checked"]), (&json!([]), &json!(true)));
    let place = |finding: &Json| [&finding["household"], &finding["check"]].map(Json::clone);
    let findings: Vec<_> = brought["findings"].as_array().unwrap().iter().map(place).collect();
    let wangwu = found(&county, "王五").to_string();
    let contradicts =
        ["illness_nothing_paid", "illness_nobody_ill"].map(|check| [json!(wangwu), json!(check)]);
    assert_eq!(findings, contradicts, "what contradicts is told as at any save");
    let expected = [
        ("2", "此列未使用"),
        ("3", "已录入"),
        ("4", "已录入"),
        ("4", "与在册内容不同"),
        ("5", "已录入"),
        ("6", "已录入"),
        ("6", "风险已消除"),
        ("7", "已在册"),
        ("8", "没有证件号码"),
        ("9", "区划表中没有这个村"),
        ("10", "此人不在本账户辖区"),
    ];
    let mut told = report(&file);
    told.sort_by_key(|(row, words)| (row.parse::<u32>().unwrap(), !words.starts_with('已')));
    let told: Vec<_> = told.iter().map(|(row, words)| (row.as_str(), words.as_str())).collect();
    assert_eq!(told, expected);

    // The same file again.
    let after = entries(&county);
    let again = bring(&county, "县局", &["乡政府"], &file, false);
    assert_eq!(entries(&county), after);
    assert_eq!(counts(&again), [10, 2, 0, 5, 3, 0, 0, 0]);

    // What the cadre's phone has of it.
    sync(&li).await;
    let value = |id: HouseholdId, key: &str| {
        let fields = li.show(id).unwrap().fields;
        let field = fields.into_iter().find(|field| field.key == key).unwrap();
        field.value.as_text().unwrap().to_owned()
    };
    assert_eq!(value(lisi, "phone"), "13900000009", "never overwritten");
    assert_eq!(value(lisi, "household_number"), "101");
    let wangwu = found(&county, "王五");
    for id in [lisi, wangwu, found(&county, "周六")] {
        assert_eq!(stages(&li, id), [Stage::Monitored]);
        assert_eq!(value(id, "identified_on"), "2019-03-05");
        assert_eq!(value(id, "channel"), "inspection");
    }
    assert_eq!(
        (value(wangwu, "risk_1"), value(wangwu, "risk_2")),
        ("illness".into(), "lack_of_labour".into())
    );
    let tasks = li.tasks().unwrap();
    assert!(
        tasks.iter().any(|view| view.household == wangwu && view.task.kind == TaskKind::MakePlan)
    );
    assert_eq!(li.case(heqi).unwrap().path.len(), 1, "carried over once");
    assert!(li.case(wangwu).unwrap().path[0].steps[0].reason.contains("两摸底"));
}

#[tokio::test(flavor = "multi_thread")]
async fn township_and_county_each_do_their_own_part_and_nobody_else_does_any() {
    let county = people("2020-02-10", FULING, None).await;
    let dir = tempfile::tempdir().unwrap();
    let file = register().save(&dir.path().join("花名册.xlsx"));
    let alone = bring(&county, "县局", &[], &file, false);
    assert_eq!((alone["opened"].as_u64(), entries(&county)), (Some(0), 0));
    assert_eq!(alone["said"]["facts_for_township"], 5, "李四, 王五 and his son, 周六, 何七");
    let township = bring(&county, "乡政府", &[], &file, false);
    assert_eq!((township["opened"].as_u64(), township["carried"].as_u64()), (Some(4), Some(0)));
    assert_eq!(township["said"]["case_for_county"], 4);
    let alone = bring(&county, "县局", &[], &file, false);
    assert_eq!((alone["filled"].as_u64(), alone["carried"].as_u64()), (Some(0), Some(4)));
    for by in ["李明", "医保局"] {
        let asked = CampaignArguments {
            file: file.clone(),
            with: vec!["县局".into()],
            campaign: None,
            profile: None,
            report: None,
            dry_run: false,
        };
        assert_eq!(county.import(by, ImportCommand::Campaign(asked)), Err("not_permitted"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_is_cut_off_goes_on() {
    let county = people("2020-02-10", FULING, None).await;
    let dir = tempfile::tempdir().unwrap();
    let file = (0..250)
        .fold(Register { lines: Vec::new() }, |register, place| {
            let (name, household) = (format!("户主{place}"), place.to_string());
            register.person(&household, &name, [&name, "户主", &number(place)], &[])
        })
        .save(&dir.path().join("花名册.xlsx"));
    let server = &county.server;
    let office = Office { settings: &server.settings, app: &server.app, by: "县局" };
    let asked = CampaignArguments {
        file: file.clone(),
        with: vec!["乡政府".into()],
        campaign: None,
        profile: None,
        report: None,
        dry_run: false,
    };
    let cut = |phase, done, _| phase != Phase::Keeping || done < 200;
    let ended =
        office.import(ImportCommand::Campaign(asked), &cut).map_err(|error| error.words().0);
    assert_eq!(ended.err(), Some("cancelled"));
    let half = entries(&county);
    let rest = bring(&county, "县局", &["乡政府"], &file, false);
    assert_eq!((rest["opened"].as_u64(), rest["known"].as_u64()), (Some(50), Some(200)));
    assert_eq!((half, entries(&county)), (400, 500), "facts and a step for each, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_somebody_else_on_record_keeps_the_whole_household_out() {
    let county = people("2020-02-10", FULING, None).await;
    let li = county.phone("李明").await;
    let lisi = open(&li, "李四", &number(1), &[]);
    let heqi = open(&li, "何七", &number(5), &[]);
    open(&li, "钱二", &number(11), &[]);
    open(&li, "孙三", &number(12), &["basic.status=整户迁出"]);
    sync(&li).await;
    let [one, five, ten, eleven, twelve] = [1, 5, 10, 11, 12].map(number);
    let dir = tempfile::tempdir().unwrap();
    let file = Register { lines: Vec::new() }
        .person("201", "赵一", ["赵一", "户主", &ten], &[])
        .person("201", "赵一", ["赵小一", "长子", &one], &[])
        .person("202", "何七", ["何七", "户主", &five], &[])
        .person("202", "何七", ["钱二", "配偶", &eleven], &[])
        .person("203", "孙三", ["孙三", "户主", &twelve], &[])
        .save(&dir.path().join("花名册.xlsx"));
    let before = entries(&county);
    let brought = bring(&county, "县局", &["乡政府"], &file, false);
    assert_eq!((entries(&county), &brought["not_taken"]), (before, &Json::from(5)));
    let said = [("held", 1), ("name_differs", 1), ("household_split", 2), ("record_retired", 1)];
    for (code, count) in said {
        assert_eq!(brought["said"][code], count, "{code}");
    }
    sync(&li).await;
    for id in [lisi, heqi] {
        assert!(stages(&li, id).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_names_on_one_number_that_on_record_holds() {
    let county = people("2020-02-10", FULING, None).await;
    let li = county.phone("李明").await;
    open(&li, "何七", &number(5), &[]);
    sync(&li).await;
    let [five, six] = [5, 6].map(number);
    let dir = tempfile::tempdir().unwrap();
    let file = Register { lines: Vec::new() }
        .person("301", "何七", ["何七", "户主", &five], &[])
        .person("302", "何期", ["何期", "户主", &five], &[])
        .person("303", "刘八", ["刘八", "户主", &six], &[])
        .person("304", "刘巴", ["刘巴", "户主", &six], &[])
        .save(&dir.path().join("花名册.xlsx"));
    let brought = bring(&county, "县局", &["乡政府"], &file, false);
    assert_eq!((&brought["carried"], &brought["not_taken"]), (&1.into(), &3.into()), "{brought}");
    assert_eq!(
        brought["said"]["identity_two_names"], 3,
        "of those two nobody knows which is right"
    );
    sync(&li).await;
    assert_eq!(stages(&li, found(&county, "何七")), [Stage::Monitored]);
}
