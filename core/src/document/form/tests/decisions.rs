//! The public sheet of decisions: who stands on it, since when, and with which measures.

use super::*;

/// A sample household after more steps.
fn decided(which: usize, steps: &[(&str, &str, &str, &str)]) -> (HouseholdId, Fold, Facts) {
    let (id, fold, old) = samples().remove(which);
    let fields = steps.iter().flat_map(|(row, state, after, on)| {
        [("state", *state), ("after", *after), ("on", *on)]
            .map(|(field, value)| ("steps".to_owned(), format!("{row}.{field}"), value.into()))
    });
    let fold = save(&fold, 1, &fields.collect::<Vec<_>>());
    let facts = facts(&fold, old.village);
    (id, fold, facts)
}

const ENTRY: [(&str, &str, &str, &str); 3] = [
    ("t5", "township_check", "t4", "2020-02-24"),
    ("t6", "county_decision", "t5", "2020-02-25"),
    ("t7", "monitored", "t6", "2020-02-26"),
];

#[test]
fn what_was_decided_hangs_with_the_measures_and_nothing_else() {
    let exit = [
        ("t7", "township_check", "t6", "2020-12-02"),
        ("t8", "county_decision", "t7", "2020-12-03"),
        ("t9", "closed", "t8", "2020-12-04"),
        ("ta", "reopened", "t9", "2021-01-05"),
    ];
    let told = |households: &[(HouseholdId, Fold, Facts)]| {
        texts(&sheet(form("decisions"), households).parts[0])
    };
    let carried = &told(&samples())[..];
    assert_eq!(carried.len(), 1, "what is proposed is not decided: {carried:?}");
    assert_eq!(
        carried[0],
        [
            "1",
            "陈*建",
            "金盆村",
            "上金盆",
            "边缘易致贫户",
            "由以往排查转入监测",
            "2020-04-02",
            "综合保障(已落实,每月1280元)、综合保障(已落实,每月110元)、义务教育保障(已落实,每年4000元)",
            "16840"
        ]
    );
    assert_eq!(
        told(&[decided(0, &ENTRY)])[0],
        [
            "1",
            "陈*昌",
            "福岭村",
            "三组",
            "脱贫不稳定户",
            "纳入监测",
            "2020-02-26",
            "综合保障(正在落实,每月280元)、公益性岗位(正在落实,每月500元)、\
             保险分红(计划,每年5000元)、其他教育帮扶(计划,每学期1000元)",
            "8300"
        ]
    );
    for (steps, decision, on) in [
        (2, "由以往排查转入监测", "2020-04-02"),
        (3, "风险消除", "2020-12-04"),
        (4, "回退监测", "2021-01-05"),
    ] {
        assert_eq!(told(&[decided(1, &exit[..steps])])[0][5..7], [decision, on], "{steps}");
    }
}

#[test]
fn a_case_of_a_past_campaign_is_told_with_the_day_on_which_that_identified_it() {
    let on = |fields: &[(String, String, Value)]| {
        let (id, fold, old) = samples().remove(1);
        let fold = save(&fold, 1, fields);
        let facts = facts(&fold, old.village);
        texts(&sheet(form("decisions"), &[(id, fold, facts)]).parts[0])[0][6].clone()
    };
    assert_eq!(on(&one("case", "identified_on", "2019-05-06")), "2019-05-06", "not of the import");
    let closed = [("t7", "township_check"), ("t8", "county_decision"), ("t9", "closed")];
    let mut fields = one("case", "identified_on", "2019-05-06").to_vec();
    let mut after = "t6";
    for (row, state) in closed {
        let said = [("state", state), ("after", after), ("on", "2020-12-04")];
        let said =
            said.map(|(field, value)| ("steps".to_owned(), format!("{row}.{field}"), value.into()));
        fields.extend(said);
        after = row;
    }
    assert_eq!(on(&fields), "2020-12-04", "what was decided since has a day of its own");
}

#[test]
fn measures_that_read_alike_are_told_with_how_many_they_are_so_that_the_sum_can_be_checked() {
    let pupil = |row: &str, member: &str| {
        let fields: [(&str, Value); 5] = [
            ("kind", "other_education".into()),
            ("member", member.into()),
            ("status", "under_way".into()),
            ("amount_fen", 100_000.into()),
            ("period", "term".into()),
        ];
        fields.map(|(field, value)| ("measures".to_owned(), format!("{row}.{field}"), value))
    };
    let (id, fold, old) = decided(0, &ENTRY);
    let fold = save(&fold, 1, &[pupil("h4", "m3"), pupil("h5", "m4")].concat());
    let facts = facts(&fold, old.village);
    let told = texts(&sheet(form("decisions"), &[(id, fold, facts)]).parts[0]).remove(0);
    assert!(told[7].ends_with("、其他教育帮扶(正在落实,每学期1000元)2项"), "{told:?}");
    assert_eq!(told[8], "12300", "8300 and two pupils' two terms");
}

#[test]
fn the_year_is_summed_up_for_each_household_and_for_the_sheet() {
    let decisions = form("decisions");
    let mut households = vec![decided(0, &ENTRY), samples().remove(1)];
    let on = |day: &str, households: &[(HouseholdId, Fold, Facts)]| {
        let frame = Frame { as_of: day.parse().unwrap(), ..frame() };
        let borrowed = households.iter().map(|(id, fold, facts)| (*id, fold, facts));
        let sheet = project(decisions, &frame, borrowed);
        let sums = texts(&sheet.parts[0]).into_iter().map(|mut line| line.remove(8));
        (sums.collect::<Vec<_>>(), sheet.footer[0].clone())
    };
    assert_eq!(sheet(decisions, &households).parts[0].header[8].label, "本年金额(元)");
    let (sums, total) = on("2020-11-30", &households);
    assert_eq!((sums, &total[..]), (vec!["8300".into(), "16840".into()], "本年金额(元)合计:25140"));
    let (sums, total) = on("2021-01-01", &households);
    assert_eq!((sums, &total[..]), (vec!["9360".into(), "20680".into()], "本年金额(元)合计:30040"));
    assert_eq!(on("2021-01-01", &[]).1, "本年金额(元)合计:0");
    let (id, fold, old) = households.remove(0);
    let none = facts(&save(&Fold::default(), 1, &one("basic", "status", "active")), old.village);
    assert!(none.rows("measures").is_empty());
    let own = text_of("own", "village_list", "", &column("help_in_year_fen"));
    let own = Template::parse_own(Schema::base(), &own).unwrap();
    let told = |facts: Facts| texts(&sheet(&own, &[(id, fold.clone(), facts)]).parts[0]).concat();
    assert_eq!(told(none), [""], "of whom no measure is on record nothing is said");
}

#[test]
fn a_measure_is_told_as_far_as_it_is_known_and_others_values_are_marked_where_nobody_public_reads()
{
    let own = text_of("own", "village_list", "", &column("measures"));
    let own = Template::parse_own(Schema::base(), &own).unwrap();
    let told = |fields: &[(&str, Value)]| {
        let fields = fields
            .iter()
            .map(|(key, value)| ("measures".to_owned(), (*key).to_owned(), value.clone()));
        let fold = save(&Fold::default(), 1, &fields.collect::<Vec<_>>());
        let facts = facts(&fold, VILLAGE);
        texts(&sheet(&own, &[(HouseholdId([1; 16]), fold, facts)]).parts[0]).concat().concat()
    };
    assert_eq!(told(&[("a.department", "education".into())]), "");
    assert_eq!(told(&[("a.title", "血友病救治".into())]), "", "people write what they like there");
    assert_eq!(told(&[("a.kind", "jobs".into()), ("a.status", "done".into())]), "就业帮扶(已落实)");
    assert_eq!(told(&[("a.kind", "jobs".into()), ("a.amount_fen", 50.into())]), "就业帮扶(0.50元)");
    let (_, fold, _) = samples().remove(0);
    let author = |author: u8, status: &str| {
        let edits = [FieldEdit {
            container: ContainerIndex::of("measures").unwrap(),
            key: "h1.status".into(),
            value: Some(status.into()),
        }];
        let origin = Origin { actor: ActorId([author; 16]), time_ms: 0, message: String::new() };
        Change::decode(&draft(&fold, &edits, &origin).unwrap()).unwrap()
    };
    let mut both = fold.clone();
    both.apply(&author(2, "done"));
    both.apply(&author(3, "stopped"));
    let facts = facts(&both, VILLAGE);
    let household = [(HouseholdId([1; 16]), both, facts)];
    let told = texts(&sheet(&own, &household).parts[0]).concat();
    assert!(told[0].starts_with("综合保障(停止,每月280元)、"), "{told:?}");
    assert!(told[0].ends_with('※'), "{told:?}");
    let sum = text_of("own", "village_list", "", "{ from = \"help_in_year_fen\", total = true }");
    let sum = Template::parse_own(Schema::base(), &sum).unwrap();
    let sheet = sheet(&sum, &household);
    assert_eq!(texts(&sheet.parts[0]).concat(), ["5500※"]);
    assert_eq!(sheet.footer[0], "本年帮扶金额(元)合计:5500※");
}
