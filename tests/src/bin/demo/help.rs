//! Help for the family, month by month, and the way out by the same path; the families that were helped before.

use wanhu_core::client::{Ledger, StepForm};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::Stage;
use wanhu_tests::county::Step;
use wanhu_tests::line::LineHandle;

use crate::{DAYS, Failure, Tale, print_tasks, sync, typed};

/// Days of the story: a cadre is named, the first visit under monitoring, the proposal to close, the notice about it.
const NAMED: i32 = 15;
pub(crate) const FIRST_VISIT: i32 = 42;
const PROPOSED: i32 = 205;
const APPRAISED: i32 = 206;
/// The story's last day is yesterday.
const CLOSED: i32 = DAYS - 1;
/// From one visit to the next.
const MONTH: usize = 30;
/// What the post and the dividends come to in a whole year: 12 × 500 + 5,000 yuan.
const YEAR_FEN: i64 = 1_100_000;

/// Families of the old campaign, carried over by the county and left to Wang.
pub(crate) fn carry_over(tale: &Tale, families: &[HouseholdId]) -> Result<(), Failure> {
    let identified = format!("case.identified_on={}", tale.day(-100));
    let fields = ["class.monitored_kind=边缘易致贫户", &identified];
    let carried =
        Step { fields: &fields, reason: "“两摸底”结果转入", ..Step::default() };
    for id in families {
        tale.step("xian", *id, "监测", carried)?;
        let cadre = ["cadres.name=王芳", "cadres.account=wang.fang", "cadres.role=帮扶责任人"];
        tale.fill_in("xiang", *id, &cadre)?;
    }
    println!(
        "    此前已监测 {} 户,帮扶责任人王芳 · monitored before, left to Wang",
        families.len()
    );
    Ok(())
}

/// Cadre, plan, measures, a visit.
pub(crate) async fn helped(
    tale: &Tale,
    li: &Ledger,
    id: HouseholdId,
    line: &LineHandle,
) -> Result<(), Failure> {
    tale.chapter(NAMED, "十二、帮扶责任人、计划、措施 · a responsible cadre, a plan, measures");
    let cadre = ["cadres.name=李明", "cadres.account=li.ming", "cadres.role=帮扶责任人"];
    tale.fill_in("xiang", id, &cadre)?;
    sync("李明 A", li, line).await?;
    print_tasks(li)?;
    plan_and_measures(li, id)?;
    let year = li.today().civil().0 + 1;
    let total_fen = li.help(id, year)?.total_fen;
    if total_fen != YEAR_FEN {
        return Err(format!("a year's help is {total_fen} fen").into());
    }
    println!("    二类低保,小儿子助学,保洁员每月 500 元,分红每年 5,000 元");
    println!("    subsistence allowance class 2, school aid, a cleaner's post, dividends");
    println!("    {year} 全年可计 {} 元 · yuan in the whole of that year", total_fen / 100);
    sync("李明 A", li, line).await?;

    tale.chapter(FIRST_VISIT, "十三、按月走访 · a visit a month");
    print_tasks(li)?;
    visit(li, id, "化疗结束,保洁员已上岗")?;
    sync("李明 A", li, line).await
}

fn plan_and_measures(li: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let from = format!("measures.from={}", li.today());
    let due = format!("plan.due_on={}", li.today().plus_days(60));
    let plan = ["plan.measure_kind=综合保障", "plan.text=申请二类低保,安排公益性岗位"];
    let mut plan = typed(&[&plan[..], &[&due, "plan.progress=进行中"]].concat())?;
    for measure in [
        &["measures.kind=综合保障", "measures.title=二类低保", "measures.department=民政"][..],
        &["measures.kind=其他教育帮扶", "measures.title=小儿子助学", "measures.department=教育"],
        &[
            "measures.kind=保险分红",
            "measures.title=产业项目分红",
            "measures.amount_fen=5000元",
            "measures.period=每年",
        ],
        &[
            "measures.kind=公益性岗位",
            "measures.title=村级保洁员",
            "measures.amount_fen=500元",
            "measures.period=每月",
        ],
    ] {
        let measure = typed(&[measure, &["measures.status=正在落实", &from]].concat())?;
        plan.new_rows.extend(measure.new_rows);
    }
    Ok(li.take_step(id, &StepForm::to(Stage::Helped), plan)?)
}

fn visit(li: &Ledger, id: HouseholdId, note: &str) -> Result<(), Failure> {
    let (date, note) = (format!("visits.date={}", li.today()), format!("visits.note={note}"));
    Ok(li.edit(id, &typed(&[&date, "visits.met=户主", "visits.finding=稳定", &note])?)?)
}

/// The closing, months later.
pub(crate) async fn closed(
    tale: &Tale,
    li: &Ledger,
    id: HouseholdId,
    line: &LineHandle,
) -> Result<(), Failure> {
    let mut visits = 0;
    for day in (FIRST_VISIT..PROPOSED).step_by(MONTH).skip(1) {
        tale.county.day(&tale.day(day));
        visit(li, id, "收入稳定")?;
        visits += 1;
    }
    tale.chapter(PROPOSED, "十五、满六个月,风险消除 · six months later the risk is gone");
    println!("    其间又走访 {visits} 次 · visits meanwhile");
    let until = format!("income.window_end={}", li.today());
    let earned = typed(&["income.wage_fen=30000元", &until])?;
    li.take_step(id, &StepForm::to(Stage::ToClose), earned)?;
    println!(
        "    近12个月工资 30,000 元,人均高于监测线 · wages of 30,000 yuan in 12 months: above the line"
    );
    tale.county.day(&tale.day(APPRAISED));
    let date = format!("visits.date={}", li.today());
    let last = [&date, "visits.purpose=消除核查", "visits.met=户主", "visits.finding=稳定"];
    li.take_step(id, &StepForm::to(Stage::Verified), typed(&last)?)?;
    sync("李明 A", li, line).await?;
    tale.step("cunwei", id, "民主评议", Step { votes: Some((12, 0)), ..Step::default() })?;
    tale.step("cunwei", id, "村内公示", Step::default())?;
    tale.county.day(&tale.day(CLOSED));
    tale.step("xiang", id, "乡镇审核", Step::default())?;
    tale.step("xian", id, "县级审定", Step::default())?;
    let on = format!("case.closed_on={}", tale.day(CLOSED));
    let fields = ["case.closing_kind=帮扶消除", &on];
    tale.step("xian", id, "风险消除", Step { fields: &fields, ..Step::default() })?;
    sync("李明 A", li, line).await?;
    let case = li.case(id)?;
    if case.path.last().map(|passed| passed.stage) != Some(Stage::Closed) {
        return Err("the case is not closed".into());
    }
    let (steps, left) = (case.path.len(), li.tasks()?.len());
    println!(
        "    核查、评议、公示、审核、审定,共 {steps} 步;{} 风险消除;李明待办 {left} 件",
        tale.day(CLOSED)
    );
    println!("    the same way out, {steps} steps in all; Li has {left} tasks left");
    Ok(())
}
