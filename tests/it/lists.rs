//! Long lists of an office in pages: refused changes, people on record twice, declarations that wait. Each row once, in one
//! order, whatever is done between two pages, and nothing hidden behind what others have not settled.

use std::error::Error;
use std::str::FromStr;

use serde_json::Value as Json;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_server::admin::{AdminCommand, HouseholdFilter, PageArguments};
use wanhu_server::storage::declarations::{self, WaitingDeclaration};
use wanhu_tests::county::{County, sync};
use wanhu_tests::population::{FULING, JINPEN};

use crate::tasks::{go_on, shown};

/// Another village of the same township.
const NEXT_VILLAGE: u64 = 431_022_208_216;
const NUMBER: &str = "11010519491231002X";

async fn county() -> County {
    let county = County::on("2024-03-04", None).await;
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    county.account("li", Role::VillageCadre, FULING);
    county
}

/// All pages one after the other, from behind a row on, as the last line of each says.
fn paged<P>(
    county: &County,
    list: impl Fn(PageArguments<P>) -> AdminCommand,
    rows: u32,
    mut after: Option<P>,
) -> Vec<Json>
where
    P: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    let mut all = Vec::new();
    loop {
        let (text, page) = shown(county, list(PageArguments { after, rows }));
        assert!(page.len() <= rows as usize);
        all.extend(page);
        after = go_on(&text).map(|place| place.parse().unwrap());
        if after.is_none() {
            return all;
        }
    }
}

/// The whole list, and that pages of every size come to it. Returns it with what its first page of two says is behind.
fn whole<P>(
    county: &County,
    list: impl Fn(PageArguments<P>) -> AdminCommand,
    count: u32,
) -> (Vec<Json>, P)
where
    P: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    let (text, whole) = shown(county, list(PageArguments::default()));
    assert_eq!((whole.len(), go_on(&text)), (count as usize, None), "nothing follows: {text}");
    for rows in 1..=count + 1 {
        assert_eq!(paged(county, &list, rows, None), whole, "{rows} a page");
    }
    let (text, first) = shown(county, list(PageArguments { after: None, rows: 2 }));
    assert_eq!(first, whole[..2]);
    (whole, go_on(&text).unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_changes_are_seen_behind_those_that_nobody_has_settled() {
    let county = county().await;
    let li = county.phone("li").await;
    sync(&li).await;
    let name = |at: usize| vec![format!("basic.head_name=陈{at}")];
    let new = |at| {
        let new = AdminCommand::New { village: FULING, fields: name(at) };
        let new = county.office("township", new).unwrap();
        new["subject"].as_str().unwrap().parse::<HouseholdId>().unwrap()
    };
    let ids: Vec<HouseholdId> = (0..6).map(new).collect();
    sync(&li).await;
    county.account("city", Role::City, FULING / 100_000_000);
    for (at, household) in ids.iter().enumerate() {
        // One of them is another township's affair now, and stands between the others.
        let village = if at == 2 { JINPEN } else { NEXT_VILLAGE };
        county.office("city", AdminCommand::Move { household: *household, village }).unwrap();
        li.record_visit(*household, vec![("note".into(), "走访时无信号".into())]).unwrap();
    }
    assert_eq!(sync(&li).await.refused, 6);

    let (listed, behind) = whole(&county, AdminCommand::Quarantine, 5);
    let number = |row: &Json| row["number"].as_i64().unwrap();
    assert!(listed.iter().map(number).is_sorted());
    assert_eq!(behind, number(&listed[1]));
    // Whoever runs the machine sees no household's data, and does nothing about one.
    let number = behind;
    let household = ids[0];
    for command in [
        AdminCommand::Quarantine(PageArguments::default()),
        AdminCommand::QuarantineShow { number },
        AdminCommand::QuarantineRelease { number },
        AdminCommand::Find { number: "13800000001".into() },
        AdminCommand::Duplicates(PageArguments::default()),
        AdminCommand::Move { household, village: FULING },
        AdminCommand::Show { household },
        AdminCommand::List(HouseholdFilter::default()),
    ] {
        assert_eq!(county.office("", command), Err("account_needed"));
    }

    // The row with which the page ended is released; the pages go on behind it all the same.
    let release = AdminCommand::QuarantineRelease { number: behind };
    county.office("township", release).unwrap();
    assert_eq!(paged(&county, AdminCommand::Quarantine, 2, Some(behind)), listed[2..]);
    assert_eq!(paged(&county, AdminCommand::Quarantine, 2, None).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_on_record_twice_are_seen_behind_pairs_that_nobody_has_settled() {
    let county = county().await;
    let fields = |at: usize| {
        let number = format!("members.identity_number={NUMBER}");
        vec![format!("basic.head_name=陈{at}"), "members.name=周小妹".into(), number]
    };
    // She stands in four households of two villages: six pairs, some of which begin with the same one.
    for (at, village) in [NEXT_VILLAGE, FULING, NEXT_VILLAGE, FULING].into_iter().enumerate() {
        county.office("township", AdminCommand::New { village, fields: fields(at) }).unwrap();
    }
    let (listed, behind) = whole(&county, AdminCommand::Duplicates, 6);
    let ids = |pair: &Json| [0, 1].map(|at| pair[at]["household"].as_str().unwrap().to_owned());
    let place = behind.to_string();
    assert!(ids(&listed[1]).iter().all(|id| !place.contains(id)), "one may be out of sight");

    // The first household of the page's last pair loses her: its pairs are settled, the others are still to come.
    let household = &ids(&listed[1])[0];
    let row = county.server.app.person_key.member_row(&IdentityNumber::parse(NUMBER).unwrap());
    let edit = AdminCommand::Edit {
        household: household.parse().unwrap(),
        fields: vec![format!("members.{row}.presence=减少")],
        on_behalf_of: String::new(),
    };
    county.office("township", edit).unwrap();
    let rest: Vec<Json> =
        listed.iter().filter(|pair| !ids(pair).contains(household)).cloned().collect();
    assert_eq!(rest.len(), 3);
    assert_eq!(paged(&county, AdminCommand::Duplicates, 9, None), rest);
    let still: Vec<Json> =
        listed[2..].iter().filter(|pair| !ids(pair).contains(household)).cloned().collect();
    assert_eq!(paged(&county, AdminCommand::Duplicates, 1, Some(behind)), still);
}

#[tokio::test(flavor = "multi_thread")]
async fn declarations_of_several_areas_are_one_list() {
    let county = county().await;
    let two = AdminCommand::AccountAdd {
        id: "two".into(),
        name: "两村".into(),
        role: Role::VillageCadre,
        area: vec![FULING, NEXT_VILLAGE],
        grid: Vec::new(),
    };
    county.office("", two).unwrap();
    for at in 0..5 {
        let declared = WaitingDeclaration {
            village: if at % 2 == 0 { FULING } else { NEXT_VILLAGE },
            name: format!("周{at}"),
            identity_number: NUMBER.into(),
            telephone: "13907355678".into(),
            risks: vec!["illness".into()],
            note: at.to_string(),
            ..WaitingDeclaration::default()
        };
        let keep = move |transaction: &rusqlite::Transaction<'_>| {
            declarations::keep(transaction, &declared)
        };
        county.server.app.storage.writer().write(keep).unwrap();
    }
    let (listed, behind) = whole(&county, AdminCommand::Declarations, 5);
    let names: Vec<_> = listed.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["周0", "周1", "周2", "周3", "周4"], "by when they came, not by village");
    let page = |after, rows| {
        let asked = AdminCommand::Declarations(PageArguments { after, rows });
        county.listed("two", asked).unwrap()
    };
    assert_eq!(page(None, 9), listed);
    assert_eq!(page(None, 2), listed[..2]);

    let dropped = AdminCommand::DeclarationDrop { number: behind };
    county.office("township", dropped).unwrap();
    assert_eq!(page(Some(behind), 2), listed[2..4]);
    assert_eq!(paged(&county, AdminCommand::Declarations, 2, Some(behind)), listed[2..]);
}
