//! What is overdue, however far the days have come, under whatever policy, in pages of every size.

use wanhu_core::document::edit::{RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::EXAMPLES_TOML;
use wanhu_core::domain::workflow::{Case, Stage};
use wanhu_core::store::records::Household;
use wanhu_core::system::SystemEntropy;

use super::*;
use crate::accounts::Account;
use crate::storage::author::{self, Author};

const VILLAGE: u64 = 431_022_208_217;

/// A family of which somebody told on a Friday.
fn told_of(storage: &Storage, number: u8) {
    told_of_a(storage, VILLAGE, "陈永昌", number, "2024-03-01");
}

/// A family of which the server heard on that Friday, whatever day the step states.
fn told_of_a(storage: &Storage, village: u64, head_name: &str, number: u8, on: &str) {
    let account = Account {
        id: "li".into(),
        name: "李明".into(),
        role: Role::VillageCadre,
        areas: vec![village],
        grids: Vec::new(),
        granted_by: String::new(),
        disabled: false,
    };
    let author = Author::office(account, 1_709_251_200_000, PersonKey::new([7; 32]));
    let household = Household::unsaved(HouseholdId([number; 16]), village);
    let (step, on) = (StepForm::to(Stage::Clue), on.parse().unwrap());
    let edit = RecordEdit::default().set("basic", "head_name", head_name);
    let edit = edit.step(&Case::default(), &step, "village", on);
    let write = move |transaction: &Transaction<'_>| {
        author::write(transaction, &author, &Policy::default(), household, &edit)
    };
    storage.writer().write(write).unwrap().unwrap();
}

#[test]
fn who_has_a_rare_name_is_found_among_all_that_are_late() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
    let policy = Arc::new(Published::parse(EXAMPLES_TOML).unwrap());
    for number in 0..60 {
        let name = if number % 13 == 5 { "欧阳萱" } else { "陈永昌" };
        told_of_a(&storage, VILLAGE + u64::from(number) / 3, name, number, "2024-03-01");
        if number == 50 {
            // What comes later is found in the log.
            catch_up(&storage, &policy).unwrap();
        }
    }
    let late: Day = "2024-03-20".parse().unwrap();
    let page = |search: Option<&str>, after: Option<PageStart>, rows: usize, today| {
        let filter = ListFilter { search: search.map(str::to_owned), ..ListFilter::default() };
        let page = |c: &Connection| overdue(c, &filter, after.as_ref(), rows, (&policy, today));
        storage.read(page).unwrap()
    };
    let mut named = page(None, None, 100, late);
    assert_eq!(named.len(), 60);
    named.retain(|row| row.head_name == "欧阳萱");
    assert_eq!(named.len(), 5);
    for rows in 1..7 {
        let mut paged = Vec::new();
        loop {
            let next = page(Some("欧阳"), paged.last().map(ListRow::place), rows, late);
            // Only the last page may have room left.
            let is_last = next.len() < rows;
            paged.extend(next);
            if is_last {
                break;
            }
        }
        assert_eq!(paged, named, "{rows} a page");
    }
    let in_time = "2024-03-02".parse().unwrap();
    assert_eq!(page(Some("欧阳"), None, 1, in_time), []);
}

#[test]
fn a_clock_that_runs_ahead_puts_nothing_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
    let policy = Arc::new(Published::parse(EXAMPLES_TOML).unwrap());
    let late = |today: &str| {
        let today = today.parse().unwrap();
        let page = |c: &Connection| overdue(c, &ListFilter::default(), None, 50, (&policy, today));
        storage.read(page).unwrap().len()
    };
    told_of_a(&storage, VILLAGE, "陈永昌", 1, "2027-03-01");
    // Steps that are older than their way to the server keep their day.
    told_of_a(&storage, VILLAGE, "陈国建", 2, "2024-02-27");
    for reach in ["none", "all"] {
        assert_eq!([late("2024-03-05"), late("2024-03-06"), late("2024-03-08")], [0, 1, 1]);
        assert_eq!(
            late("2024-03-09"),
            2,
            "five working days from when the server took it, {reach}"
        );
        catch_up(&storage, &policy).unwrap();
    }
}

#[test]
fn what_is_overdue_does_not_depend_on_how_far_the_days_have_come() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
    told_of(&storage, 1);
    let mut told = 1;
    let five = Arc::new(Published::parse(EXAMPLES_TOML).unwrap());
    let longer = EXAMPLES_TOML.replacen("days = 5\n", "days = 15\n", 1);
    let fifteen = Arc::new(Published::parse(&longer).unwrap());
    let rounds = [(&five, "2024-03-08"), (&fifteen, "2024-03-22"), (&five, "2024-03-08")];
    for (policy, last) in rounds {
        let last: Day = last.parse().unwrap();
        let late = |today: Day| {
            let all = ListFilter::default();
            let page = |c: &Connection| overdue(c, &all, None, 50, (policy, today));
            storage.read(page).unwrap().len()
        };
        assert_eq!((late(last), late(last.plus_days(1))), (0, told), "of another policy");
        catch_up(&storage, policy).unwrap();
        assert_eq!((late(last), late(last.plus_days(1))), (0, told), "of this policy");
        told += 1;
        told_of(&storage, u8::try_from(told).unwrap());
        assert_eq!((late(last), late(last.plus_days(1))), (0, told), "of before the last one");
    }
}
