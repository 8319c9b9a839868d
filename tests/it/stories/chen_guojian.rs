//! A2. 陈国建 of 金盆村: stomach cancer in March 2020, found by matching data; a plan for the whole family whose
//! transfers come to 20,680 yuan a year.

use super::*;
use wanhu_tests::population::JINPEN;

const HEAD: &str = "431025197001010033";

#[tokio::test(flavor = "multi_thread")]
async fn found_by_data_matching_and_helped_with_20_680_yuan_a_year() {
    let county = people("2020-04-10", JINPEN, None).await;
    let li = county.phone("李明").await;
    sync(&li).await;
    let number = format!("members.identity_number={HEAD}");
    let mut family = typed(&["basic.head_name=陈国建", "class.household_kind=脱贫户"]);
    for member in [
        vec!["members.name=陈国建", "members.relation=户主", number.as_str()],
        vec!["members.name=陈大", "members.relation=儿子", "members.labour=普通劳动力"],
        vec!["members.name=陈小", "members.relation=儿子", "members.school_stage=初中"],
    ] {
        family.new_rows.extend(typed(&member).new_rows);
    }
    let id = li.create_household(JINPEN, family).unwrap();
    sync(&li).await;

    let dir = tempfile::tempdir().unwrap();
    let lines: &[Line<'_>] = &[
        BILLS_HEADER,
        &[
            "1",
            "陈国建",
            HEAD,
            "住院",
            "胃恶性肿瘤",
            "2020-03-03",
            "2020-03-28",
            "61000",
            "38000",
            "6000",
            "2000",
            "15000",
        ],
    ];
    let delivered = deliver(&county, &spreadsheet(&dir.path().join("b.xlsx"), "住院明细", lines));
    assert_eq!(delivered["warned"], 1);
    sync(&li).await;
    let task = &li.tasks().unwrap()[0];
    assert_eq!((task.household, task.task.kind), (id, TaskKind::Verify));

    county.day("2020-04-13");
    take(
        &li,
        id,
        Stage::Verified,
        typed(&["visits.date=2020-04-13", "visits.met=户主", "case.consent=是"]),
    );
    sync(&li).await;
    through_the_offices(&county, id, (7, 0), "2020-04-20");
    let decided = Step {
        fields: &["class.monitored_kind=脱贫不稳定户", "case.identified_on=2020-04-20"],
        ..Step::default()
    };
    county.step("县局", id, "监测", decided).unwrap();

    // The plan, one measure after the other, as the story has them.
    sync(&li).await;
    take(
        &li,
        id,
        Stage::Helped,
        typed(&[
            "plan.measure_kind=其他教育帮扶",
            "plan.text=大儿子免费就读职校,毕业安排就业",
            "plan.progress=进行中",
        ]),
    );
    for measure in [
        &[
            "measures.kind=其他教育帮扶",
            "measures.title=大儿子免费就读职校",
            "measures.status=正在落实",
        ][..],
        &[
            "measures.kind=其他教育帮扶",
            "measures.title=小儿子助学",
            "measures.status=正在落实",
            "measures.amount_fen=4000元",
            "measures.period=每年",
        ],
        &[
            "measures.kind=综合保障",
            "measures.title=全家低保",
            "measures.status=正在落实",
            "measures.amount_fen=1280元",
            "measures.period=每月",
        ],
        &[
            "measures.kind=综合保障",
            "measures.title=残疾人补贴",
            "measures.status=正在落实",
            "measures.amount_fen=110元",
            "measures.period=每月",
        ],
    ] {
        li.edit(id, &typed(measure)).unwrap();
    }
    assert_eq!(sync(&li).await.refused, 0);
    let help = li.help(id, 2021).unwrap();
    assert_eq!(help.total_fen, 2_068_000);
    assert_eq!(
        help.developmental().in_effect,
        0,
        "guarantees and schooling; work comes with the school"
    );
}
