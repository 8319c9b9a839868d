//! Figures of a past day: on a phone by the clocks of those who wrote, at an office by the server's own; of whoever lived
//! there then, and named only to those who may look today.

use serde_json::{Value as Json, json};
use wanhu_core::client::{Ledger, RecordEdit};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::{Figure, Statistic};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{Level, RegionList};
use wanhu_core::domain::schema::words;
use wanhu_core::error::LedgerError;
use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::{AdminCommand, FiguresArguments, Office};
use wanhu_tests::county::{County, sync};
use wanhu_tests::population::{FULING, JINPEN};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn family(head: &str) -> RecordEdit {
    RecordEdit::default().set("basic", "head_name", head)
}

/// How many households a phone counts with a priority tag, and on record, at the end of a day.
fn on_phone(phone: &Ledger, as_of: &str) -> (i64, i64) {
    let period = (day("2024-03-01"), day("2024-03-31"));
    let figures = phone.figures(FULING, None, period, Some(day(as_of)), &[]).unwrap();
    assert!(figures.iter().all(|figure| figure.as_of == day(as_of)));
    let marginal = |of: &str| of == "tag_marginal";
    let tag = figures.iter().find(|f| f.code == Statistic::Tag && marginal(&f.of)).unwrap();
    (tag.numerator, tag.denominator)
}

/// Where households are on record at the end of a day, in an area of an account; and which of them it names.
fn at_office(county: &County, by: &str, area: u64, as_of: &str) -> (Vec<(u64, i64)>, Vec<Json>) {
    let asked = FiguresArguments {
        area: Some(area),
        as_of: Some(day(as_of)),
        list: Some(Statistic::Coverage),
        ..FiguresArguments::default()
    };
    let figures = county.office(by, AdminCommand::Figures(asked)).unwrap();
    let of_coverage = |figure: &&Json| figure["code"] == "coverage" && figure["of"] != "";
    let (mut villages, mut named) = (Vec::new(), Vec::new());
    for figure in figures.as_array().unwrap().iter().filter(of_coverage) {
        let village = figure["of"].as_str().unwrap().parse().unwrap();
        villages.push((village, figure["numerator"].as_i64().unwrap()));
        named.extend(figure["households"].as_array().unwrap().iter().cloned());
    }
    (villages, named)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_tells_a_past_day_by_the_clocks_of_those_who_wrote() {
    let county = County::on("2024-03-04", None).await;
    county.account("li", Role::VillageCadre, FULING);
    county.account("wang", Role::VillageCadre, FULING);
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    let (li, wang) = (county.phone("li").await, county.phone("wang").await);
    let chen = li.create_household(FULING, family("陈永昌")).unwrap();
    sync(&li).await;
    county.day("2024-03-05");
    li.create_household(FULING, family("周长根")).unwrap();
    li.edit(chen, &RecordEdit::default().set("class", "tag_marginal", true)).unwrap();
    // What waits to be sent counts here as it does on the list.
    assert_eq!(on_phone(&li, "2024-03-05"), (1, 2));
    county.day("2024-03-08");
    sync(&li).await;
    sync(&wang).await;
    county.day("2024-03-09");
    let told = [("2024-03-03", (0, 0)), ("2024-03-04", (0, 1)), ("2024-03-05", (1, 2))];
    for (as_of, (tagged, on_record)) in told.into_iter().chain([("2024-03-08", (1, 2))]) {
        assert_eq!(on_phone(&li, as_of), (tagged, on_record), "{as_of}");
        assert_eq!(on_phone(&wang, as_of), on_phone(&li, as_of), "whoever wrote it: {as_of}");
    }
    // The server counts from when it was told.
    let on_record = |as_of| at_office(&county, "township", FULING, as_of).0;
    assert_eq!(on_record("2024-03-03"), []);
    assert_eq!(on_record("2024-03-05"), [(FULING, 1)]);
    assert_eq!(on_record("2024-03-08"), [(FULING, 2)]);

    let period = (day("2024-03-01"), day("2024-03-31"));
    let to_come = li.figures(FULING, None, period, Some(day("2024-03-10")), &[]).unwrap_err();
    assert_eq!(to_come, LedgerError::invalid("as_of", "not_yet"));
    assert_eq!(on_phone(&li, "2024-03-09"), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_counts_no_area_of_which_it_holds_a_part() {
    let county = County::on("2024-03-04", None).await;
    county.account("li", Role::VillageCadre, FULING);
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    let (li, office) = (county.phone("li").await, county.phone("township").await);
    li.create_household(FULING, family("陈永昌")).unwrap();
    sync(&li).await;
    sync(&office).await;
    let period = (day("2024-03-01"), day("2024-03-31"));
    let counted = |phone: &Ledger, area| -> Result<i64, LedgerError> {
        let figures = phone.figures(area, None, period, None, &[])?;
        let of_coverage = |f: &&Figure| f.code == Statistic::Coverage && !f.of.is_empty();
        Ok(figures.iter().filter(of_coverage).map(|figure| figure.numerator).sum())
    };
    assert_eq!(counted(&li, FULING), Ok(1));
    for area in [FULING, FULING / 1_000] {
        assert_eq!(counted(&office, area), Ok(1), "{area}");
    }
    let refused = |reason| Err(LedgerError::invalid("area", reason));
    for area in [FULING / 1_000, FULING / 1_000_000, 4310, FULING + 1] {
        assert_eq!(counted(&li, area), refused("outside_area"), "{area}");
    }
    for area in [0, 7, FULING / 10] {
        assert_eq!(counted(&li, area), refused("not_an_area"), "{area}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_dates_nothing_before_what_its_author_saw() {
    let county = County::on("2024-03-04", None).await;
    county.account("li", Role::VillageCadre, FULING);
    county.account("wang", Role::VillageCadre, FULING);
    let li = county.phone("li").await;
    let chen = li.create_household(FULING, family("陈永昌")).unwrap();
    sync(&li).await;
    // Four years behind.
    let behind = county.phone_astray("wang", -1_460).await;
    sync(&behind).await;
    behind.edit(chen, &RecordEdit::default().set("class", "tag_marginal", true)).unwrap();
    sync(&behind).await;
    sync(&li).await;
    county.day("2024-03-09");
    assert_eq!(on_phone(&li, "2024-03-03"), (0, 0), "the record was not there");
    assert_eq!(on_phone(&li, "2024-03-04"), (1, 1));
    // Three days ahead: what it wrote is of no earlier day, and nothing is that builds on it.
    let ahead = county.phone_astray("wang", 3).await;
    sync(&ahead).await;
    ahead.edit(chen, &RecordEdit::default().set("class", "tag_marginal", false)).unwrap();
    sync(&ahead).await;
    sync(&li).await;
    county.day("2024-03-10");
    li.edit(chen, &RecordEdit::default().set("basic", "grid", "一网格")).unwrap();
    county.day("2024-03-14");
    assert_eq!(on_phone(&li, "2024-03-11"), (1, 1));
    assert_eq!(on_phone(&li, "2024-03-12"), (0, 1));
}

/// Three families: one stays, one leaves the township village by village, one comes from another county.
async fn families_that_move() -> (County, [u64; 3], [HouseholdId; 3]) {
    let township = FULING / 1_000;
    let villages = RegionList::chenzhou().within(township, Level::Village);
    let next = villages.map(|region| region.code).find(|village| *village != FULING).unwrap();
    let county = County::on("2024-03-04", None).await;
    county.account("township", Role::TownshipOffice, township);
    county.account("other", Role::TownshipOffice, JINPEN / 1_000);
    county.account("city", Role::City, 4310);
    let open = |by: &str, village, head: &str| -> HouseholdId {
        let fields = vec![format!("basic.head_name={head}")];
        let new = county.office(by, AdminCommand::New { village, fields }).unwrap();
        new["subject"].as_str().unwrap().parse().unwrap()
    };
    let stays = open("township", FULING, "陈永昌");
    let leaves = open("township", FULING, "周长根");
    let comes = open("other", JINPEN, "胡甫武");
    for (on, household, village) in [
        ("2024-03-10", leaves, next),
        ("2024-03-15", comes, FULING),
        ("2024-03-20", leaves, JINPEN),
    ] {
        county.day(on);
        county.office("city", AdminCommand::Move { household, village }).unwrap();
    }
    county.day("2024-03-25");
    (county, [FULING, next, JINPEN], [stays, leaves, comes])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_counts_where_it_lived_then() {
    let (county, [fuling, next, jinpen], [stays, leaves, comes]) = families_that_move().await;
    let on_record = |area, as_of| at_office(&county, "city", area, as_of).0;
    for (as_of, in_fuling, in_next, in_jinpen) in [
        ("2024-03-03", 0, 0, 0),
        ("2024-03-09", 2, 0, 1),
        ("2024-03-10", 1, 1, 1),
        ("2024-03-15", 2, 1, 0),
        ("2024-03-20", 2, 0, 1),
        ("2024-03-25", 2, 0, 1),
    ] {
        for (village, households) in [(fuling, in_fuling), (next, in_next), (jinpen, in_jinpen)] {
            let told: Vec<_> =
                (households > 0).then_some((village, households)).into_iter().collect();
            assert_eq!(on_record(village, as_of), told, "{as_of}");
        }
        let whole: i64 = on_record(4310, as_of).into_iter().map(|(_, households)| households).sum();
        assert_eq!(whole, in_fuling + in_next + in_jinpen, "each once: {as_of}");
    }
    let named = |area, as_of| at_office(&county, "city", area, as_of).1;
    let mut both = [stays, leaves].map(|id| json!(id.to_string()));
    both.sort_by_key(Json::to_string);
    let mut told = named(fuling, "2024-03-09");
    told.sort_by_key(Json::to_string);
    assert_eq!(told, both);
    assert_eq!(named(jinpen, "2024-03-09"), [json!(comes.to_string())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_moved_out_of_an_offices_area_is_counted_and_not_named() {
    let (county, [fuling, next, jinpen], [stays, leaves, comes]) = families_that_move().await;
    let ids = |ids: &[HouseholdId]| ids.iter().map(|id| json!(id.to_string())).collect::<Vec<_>>();
    assert_eq!(
        at_office(&county, "township", fuling, "2024-03-09"),
        (vec![(fuling, 2)], ids(&[stays])),
        "the family that has left lives in another county"
    );
    assert_eq!(at_office(&county, "township", next, "2024-03-12"), (vec![(next, 1)], ids(&[])));
    let (mut villages, named) = at_office(&county, "township", fuling / 1_000, "2024-03-12");
    villages.sort_unstable();
    let mut both = vec![(fuling, 1), (next, 1)];
    both.sort_unstable();
    assert_eq!((villages, named), (both, ids(&[stays])));
    assert_eq!(at_office(&county, "other", jinpen, "2024-03-09"), (vec![(jinpen, 1)], ids(&[])));
    assert_eq!(
        at_office(&county, "other", jinpen, "2024-03-22"),
        (vec![(jinpen, 1)], ids(&[leaves]))
    );
    let (villages, mut named) = at_office(&county, "township", fuling, "2024-03-16");
    let mut both = ids(&[stays, comes]);
    named.sort_by_key(Json::to_string);
    both.sort_by_key(Json::to_string);
    assert_eq!((villages, named), (vec![(fuling, 2)], both), "who came since is theirs to look at");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_say_what_they_count_when_they_are_asked() {
    let (county, [fuling, ..], _) = families_that_move().await;
    let text = |asked: FiguresArguments| {
        let (settings, app) = (&county.server.settings, &county.server.app);
        let office = Office { settings, app, by: "township" };
        let asked = FiguresArguments { area: Some(fuling), ..asked };
        office
            .run(AdminCommand::Figures(asked), &mut SystemEntropy)
            .map(|output| output.text)
            .unwrap()
    };
    let defined = |text: &str| {
        let times =
            |code: Statistic| text.matches(&words("figure", code.code()).unwrap().zh).count();
        Statistic::ALL.into_iter().map(times).collect::<Vec<_>>()
    };
    let hint = "各项含义: --define · what each counts: --define\n";
    let short = text(FiguresArguments::default());
    assert!(short.ends_with(hint) && defined(&short).iter().all(|times| *times == 0), "{short}");
    let list = Some(Statistic::Coverage);
    let one = text(FiguresArguments { list, ..FiguresArguments::default() });
    assert!(one.ends_with(hint) && defined(&one).iter().sum::<usize>() == 1, "{one}");
    let all = text(FiguresArguments { define: true, ..FiguresArguments::default() });
    let shown = |code: Statistic| {
        let name = &words("figure_name", code.code()).unwrap().zh;
        all.lines().any(|line| line.starts_with(&format!("{name} · ")))
    };
    let once: Vec<_> = Statistic::ALL.into_iter().map(|code| usize::from(shown(code))).collect();
    assert_eq!(defined(&all), once, "each that is shown, once: {all}");
    assert!(!all.contains(hint) && once.iter().sum::<usize>() > 1);
}
