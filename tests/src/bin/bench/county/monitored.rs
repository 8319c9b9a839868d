//! Families under monitoring among those of a county: carried over from an old campaign, most of them helped and visited. Must
//! not measure anything.

use std::path::Path;

use rusqlite::Transaction;
use wanhu_core::client::{RecordEdit, StepForm};
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::{Case, Stage};
use wanhu_core::store::{StoreError, listing, records};
use wanhu_server::App;
use wanhu_server::storage::author::{self, Author};
use wanhu_server::storage::persons;

use super::{BATCH, Failure, account};

/// One household of so many is under monitoring.
const MONITORED_ONE_IN: u32 = 60;

/// Puts some of the households that have no case under monitoring, as a county carries them over from an old campaign. Of three
/// one waits for its township; two have a cadre, a plan, help and visits, some of them late.
pub(super) fn carry_over(app: &App, done: &Path) -> Result<(), Failure> {
    let all = app.storage.read(listing::unmerged)?;
    let chosen: Vec<i64> = all.into_iter().step_by(MONITORED_ONE_IN as usize).collect();
    let (now_ms, person_key, policy) = (app.clock.now_ms(), app.person_key, app.policy.clone());
    for turn in chosen.chunks(BATCH) {
        let (turn, policy) = (turn.to_vec(), policy.clone());
        app.storage.writer().write(move |transaction| {
            for n in turn {
                let by = |id: &str, role, area| {
                    Author::office(account(id, role, vec![area]), now_ms, person_key)
                };
                begin(transaction, n, &by, &policy.policy)?;
            }
            Ok(())
        })?;
    }
    persons::catch_up(&app.storage, person_key)?;
    Ok(std::fs::write(done, [])?)
}

/// The author of a role and an area.
type By<'a> = &'a dyn Fn(&str, Role, u64) -> Author;

fn begin(
    transaction: &Transaction<'_>,
    n: i64,
    by: By<'_>,
    policy: &Policy,
) -> Result<(), StoreError> {
    let household = records::get(transaction, n)?;
    let case = Case::of(&facts(&household.fold, household.scope));
    if case.stage().is_some() {
        return Ok(());
    }
    let county = by("county", Role::CountyOffice, household.scope / 1_000_000);
    let township = by("township", Role::TownshipOffice, household.scope / 1_000);
    let today = Day::in_china(county.now_ms);
    // Numbers of those chosen lie so far apart: among themselves they are to differ in everything.
    let place = n / i64::from(MONITORED_ONE_IN);
    let days_ago = |most: i64| today.plus_days(-i32::try_from(place % most).unwrap_or(0));
    let kind = ["unstable", "marginal", "sudden"][usize::try_from(place % 7 % 3).unwrap_or(0)];
    let step =
        StepForm { reason: "“两摸底”结果转入".into(), ..StepForm::to(Stage::Monitored) };
    let edit = RecordEdit { form: "step/1".into(), ..RecordEdit::default() }
        .set("class", "monitored_kind", kind)
        .set("case", "identified_on", days_ago(700).to_string())
        .step(&case, &step, "county", today);
    let wrote = author::write(transaction, &county, policy, household, &edit)?;
    assert!(wrote.is_ok(), "{wrote:?}");
    if place % 3 == 0 {
        return Ok(());
    }
    let household = records::get(transaction, n)?;
    let case = Case::of(&facts(&household.fold, household.scope));
    let visited = format!("visits.date={}", days_ago(80));
    let fields = [
        "cadres.name=李明",
        "cadres.account=li.ming",
        "cadres.role=帮扶责任人",
        "plan.measure_kind=产业帮扶",
        "plan.text=种植桃和中药材",
        "plan.progress=进行中",
        "measures.kind=产业帮扶",
        "measures.status=正在落实",
        "measures.from=2026-03-01",
        &visited,
        "visits.met=户主",
        "visits.finding=稳定",
    ];
    let fields = fields.map(str::to_owned);
    let edit = RecordEdit::typed(Schema::base(), &fields).map_err(|_| StoreError::Damaged)?;
    let edit = edit.step(&case, &StepForm::to(Stage::Helped), "township", today);
    let wrote = author::write(transaction, &township, policy, household, &edit)?;
    assert!(wrote.is_ok(), "{wrote:?}");
    Ok(())
}
