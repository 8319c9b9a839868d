//! The ledger on its own, in a file: what survives, what opening refuses, pages and search, fields of a
//! newer release.

use std::path::Path;
use std::sync::Arc;
use std::task::Poll;

use wanhu_core::client::{Ledger, RecordEdit};
use wanhu_core::document::change::Change;
use wanhu_core::document::draft::{FieldEdit, Origin, draft};
use wanhu_core::document::genesis::ContainerIndex;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::value::Value;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::{ListFilter, ListRow, PageStart};
use wanhu_core::store::open::{self, Access, Sharing};
use wanhu_core::store::records::{self, Arrival};
use wanhu_core::store::{REPLICA_MIGRATIONS, StoreError, replica};
use wanhu_tests::population::{FULING, JINPEN, household};
use wanhu_tests::seeded::{Seeded, SetClock, TestClock};
use wanhu_tests::township::{START_MS, Township};

fn open_at(path: &Path) -> Result<Ledger, LedgerError> {
    Ledger::open(path, Arc::new(TestClock::at(START_MS)), Box::new(Seeded(7)))
}

fn head(name: &str) -> RecordEdit {
    RecordEdit::default().set("basic", "head_name", name)
}

fn names(rows: &[ListRow]) -> Vec<&str> {
    rows.iter().map(|row| row.head_name.as_str()).collect()
}

/// Copies a ledger's files as a power cut would leave them: no closing, no checkpoint.
fn pull_the_plug(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let side = |path: &Path| format!("{}{suffix}", path.display());
        if Path::new(&side(from)).exists() {
            std::fs::copy(side(from), side(to)).unwrap();
        }
    }
}

#[test]
fn what_was_saved_is_there_after_the_plug_is_pulled() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("a.sqlite"), dir.path().join("b.sqlite"));
    let ledger = open_at(&path).unwrap();
    let mut saved = Vec::new();
    for name in ["陈永昌", "陈国建", "胡甫武"] {
        let id = ledger.create_household(FULING, head(name)).unwrap();
        ledger.record_visit(id, vec![("note".into(), name.into())]).unwrap();
        saved.push(id);
        pull_the_plug(&path, &copy);
        let found = open_at(&copy).unwrap();
        for id in &saved {
            assert_eq!(found.show(*id).unwrap(), ledger.show(*id).unwrap());
        }
        assert_eq!(found.status().unwrap().pending, 2 * saved.len() as u64);
        drop(found);
    }
}

#[test]
fn a_file_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    let first = open_at(&path).unwrap();
    let id = first.create_household(FULING, head("陈永昌")).unwrap();
    let second = open_at(&path).unwrap_err();
    assert_eq!(second, LedgerError::invalid("path", "in_use"));
    first.edit(id, &RecordEdit::default().set("basic", "grid", "一网格")).unwrap();
    drop(first);
    assert_eq!(open_at(&path).unwrap().history(id).unwrap().len(), 3);
}

#[test]
fn what_is_no_file_keeps_no_records() {
    let dir = tempfile::tempdir().unwrap();
    let inside = |name: &str| dir.path().join(name);
    let refused = LedgerError::invalid("path", "not_a_file");
    let names = ["", ":memory:", "nul\0", "file:a?mode=memory", "file:/a?vfs=memdb"]
        .map(std::path::PathBuf::from);
    for path in names.into_iter().chain([dir.path().to_owned(), inside("no/such/folder/a")]) {
        assert_eq!(open_at(&path).unwrap_err(), refused, "{path:?}");
    }
}

#[test]
fn an_answer_that_says_no_day_is_of_the_day_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_at(&dir.path().join("a")).unwrap();
    let said = |note: &str| vec![("note".to_owned(), Value::from(note))];
    let edit = head("陈永昌").named_row("clues", "a", said("病了")).named_row(
        "clues",
        "b",
        said("又病了"),
    );
    let id = ledger.create_household(FULING, edit).unwrap();
    let day_of = |row: &str| {
        let fields = ledger.show(id).unwrap().fields;
        let key = format!("{row}.outcome_on");
        fields.into_iter().find(|field| field.key == key).map(|field| field.value)
    };
    let answer = |key: &str, code: &str| RecordEdit::default().set("clues", key, code);
    ledger.edit(id, &answer("a.outcome", "open")).unwrap();
    assert_eq!(day_of("a"), None, "no answer yet");
    let typed = answer("b.outcome", "not_included").set("clues", "b.outcome_on", "2024-01-02");
    ledger.edit(id, &typed).unwrap();
    assert_eq!(day_of("b"), Some("2024-01-02".into()), "what somebody says stands");
    ledger.edit(id, &answer("a.outcome", "included")).unwrap();
    let today = Day::in_china(START_MS).to_string();
    assert_eq!(day_of("a"), Some(today.as_str().into()));
}

#[test]
fn a_visit_without_a_day_is_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_at(&dir.path().join("a")).unwrap();
    let id = ledger.create_household(FULING, head("陈永昌")).unwrap();
    ledger.record_visit(id, vec![("met".to_owned(), "head".into())]).unwrap();
    let last_visit = || ledger.list(&ListFilter::default(), None, 5).unwrap()[0].last_visit.clone();
    assert_eq!(last_visit(), Day::in_china(START_MS).to_string());
    let ahead = |days| {
        let day = Day::in_china(START_MS).plus_days(days).to_string();
        let visit =
            vec![("date".to_owned(), day.clone().into()), ("met".to_owned(), "head".into())];
        ledger.record_visit(id, visit).map(|()| day)
    };
    let far = ahead(32).unwrap_err();
    assert_eq!(far, LedgerError::invalid("visits.date", "not_yet"), "a year mistyped");
    // This phone's clock may be the one that is wrong.
    let said = ahead(31).unwrap();
    assert_eq!(last_visit(), said, "what somebody says stands");
    // A row that a form names itself, one field after the other.
    let named = |field: &str, value: &str| RecordEdit::default().set("visits", field, value);
    let dates = || {
        let fields = ledger.show(id).unwrap().fields.into_iter();
        fields.filter(|field| field.container == "visits" && field.key.ends_with(".date")).count()
    };
    ledger.edit(id, &named("w.met", "member")).unwrap();
    assert_eq!(dates(), 3);
    ledger.edit(id, &named("w.date", "")).unwrap_err();
    ledger.edit(id, &named("w.note", "灶台漏雨")).unwrap();
    assert_eq!(dates(), 3, "said once");
}

#[test]
fn what_would_mean_nothing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_at(&dir.path().join("a")).unwrap();
    let day = |text: &str| text.parse().unwrap();
    let period = (day("2024-06-01"), day("2024-05-31"));
    let refused = ledger.figures(FULING, None, period, None, &[]).unwrap_err();
    assert_eq!(refused, LedgerError::invalid("period", "ends_before_it_begins"));
    let period = (period.1, period.0);
    // Nobody's phone yet: it has no area.
    for (area, reason) in [(0, "not_an_area"), (7, "not_an_area"), (FULING, "outside_area")] {
        let refused = ledger.figures(area, None, period, None, &[]).unwrap_err();
        assert_eq!(refused, LedgerError::invalid("area", reason), "{area}");
    }
    let id = ledger.create_household(FULING, head("陈永昌")).unwrap();
    for name in ["", "a.b", "a b", "行", &"a".repeat(65)] {
        let fields = vec![("name".to_owned(), Value::from("陈"))];
        let edit = RecordEdit::default().named_row("members", name, fields);
        let refused = ledger.edit(id, &edit).unwrap_err();
        assert_eq!(refused, LedgerError::invalid("members", "row_id_unfit"), "{name}");
    }
}

#[tokio::test]
async fn a_closed_book_frees_its_file_and_answers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    let ledger = open_at(&path).unwrap();
    let id = ledger.create_household(FULING, head("陈永昌")).unwrap();
    let seen = ledger.version();
    let mut waiting = std::pin::pin!(ledger.changed(seen));
    std::future::poll_fn(|context| {
        assert!(waiting.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    ledger.close().unwrap();
    assert!(waiting.await.unwrap() > seen, "whoever waits comes back");
    let closed = LedgerError::invalid("ledger", "closed");
    assert_eq!(ledger.changed(seen).await.unwrap_err(), closed, "and does not wait anew");
    assert_eq!(ledger.show(id).unwrap_err(), closed);
    assert_eq!(ledger.edit(id, &head("陈国建")).unwrap_err(), closed);
    assert_eq!(ledger.status().unwrap_err(), closed, "and not that there is nothing on record");
    let again = open_at(&path).unwrap();
    ledger.close().unwrap();
    assert_eq!(again.status().unwrap().pending, 1);
    assert_eq!(names(&again.list(&ListFilter::default(), None, 9).unwrap()), ["陈永昌"]);
}

#[test]
fn a_newer_releases_file_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    open_at(&path).unwrap().create_household(FULING, head("陈永昌")).unwrap();
    let newer = i64::try_from(REPLICA_MIGRATIONS.0.len() + 1).unwrap();
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", newer).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = open_at(&path).unwrap_err();
    assert_eq!(error, LedgerError::UpgradeRequired { minimum: format!("file-schema-{newer}") });
    assert!(std::fs::read(&path).unwrap() == before);
}

#[test]
fn a_damaged_file_is_set_aside_and_the_next_opening_starts_afresh() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    open_at(&path).unwrap().create_household(FULING, head("陈永昌")).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..64].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let LedgerError::StorageDamaged { kept_as } = open_at(&path).unwrap_err() else {
        panic!("a damaged file was opened");
    };
    assert!(std::fs::read(kept_as).unwrap() == bytes, "the damaged file is kept byte for byte");
    assert_eq!(open_at(&path).unwrap().status().unwrap().households, 0);
}

#[test]
fn a_book_that_cannot_be_opened_is_set_aside_wherever_it_is_damaged() {
    const PAGE_BYTES: usize = 4096;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    let ledger = open_at(&path).unwrap();
    ledger.create_household(FULING, head("陈永昌")).unwrap();
    ledger.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut refused = Vec::new();
    for page in 0..whole.len() / PAGE_BYTES {
        let mut bytes = whole.clone();
        bytes[page * PAGE_BYTES..(page + 1) * PAGE_BYTES].fill(0x5a);
        std::fs::write(&path, &bytes).unwrap();
        let Err(error) = open_at(&path) else { continue };
        let LedgerError::StorageDamaged { kept_as } = error else { panic!("{page}: {error}") };
        // Whoever got as far as opening it may have counted that on the first page.
        assert!(std::fs::read(kept_as).unwrap()[PAGE_BYTES..] == bytes[PAGE_BYTES..], "{page}");
        assert_eq!(open_at(&path).unwrap().status().unwrap().households, 0, "{page}");
        refused.push(page);
    }
    // The first page is SQLite's own; what the phone notes of itself lies far behind it.
    assert!(refused.len() > 1 && refused[0] == 0, "{refused:?}");
}

#[test]
fn a_failing_migration_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    let id = open_at(&path).unwrap().create_household(FULING, head("陈永昌")).unwrap();
    let mut steps = REPLICA_MIGRATIONS.0.to_vec();
    steps.push(
        "CREATE TABLE half (n INTEGER) STRICT; DELETE FROM change; SELECT no_such_function()",
    );
    let steps = open::Migrations(steps.leak());
    assert!(open::open(&path, Access::plain(Sharing::Alone), steps).is_err());
    let ledger = open_at(&path).unwrap();
    assert_eq!(ledger.history(id).unwrap().len(), 2);
}

#[test]
fn households_of_before_lists_knew_grids_are_listed_by_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sqlite");
    let ledger = open_at(&path).unwrap();
    for (name, grid) in [("陈永昌", "一网格 "), ("陈国建", "二网格"), ("胡甫武", "")]
    {
        ledger.create_household(FULING, head(name).set("basic", "grid", grid)).unwrap();
    }
    // As the release before left it.
    let before =
        "DROP INDEX listing_by_grid; ALTER TABLE listing DROP COLUMN grid; PRAGMA user_version = 4";
    ledger.with_store(|connection| Ok(connection.execute_batch(before)?)).unwrap();
    drop(ledger);
    let ledger = open_at(&path).unwrap();
    let of = |grid: &str| {
        let filter = ListFilter { grid: Some(grid.into()), ..ListFilter::default() };
        let rows = ledger.list(&filter, None, 10).unwrap();
        rows.iter().map(|row| format!("{}{}", row.grid, row.head_name)).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("一网格"), of(" 二网格")),
        (vec!["一网格陈永昌".into()], vec!["二网格陈国建".into()])
    );
    assert_eq!((of(""), of("三网格").len()), (vec!["胡甫武".into()], 0));
}

#[test]
fn sqlite_is_new_enough_to_keep_its_log_whole() {
    // 3.51.3 is the first release without the reset of a WAL that could corrupt a file.
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn pages_hold_every_household_once_and_in_order() {
    let ledger =
        Ledger::open_in_memory(Arc::new(TestClock::at(START_MS)), Box::new(Seeded(3))).unwrap();
    let mut rng = Seeded(5);
    for number in 0..60 {
        let village = if number % 3 == 0 { JINPEN } else { FULING };
        ledger.create_household(village, household(&mut rng, village)).unwrap();
    }
    let whole = ledger.list(&ListFilter::default(), None, 100).unwrap();
    let (mut paged, mut after): (Vec<ListRow>, Option<PageStart>) = (Vec::new(), None);
    loop {
        let page = ledger.list(&ListFilter::default(), after.as_ref(), 7).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        paged.extend(page);
    }
    assert_eq!(paged, whole);
    assert_eq!(whole.len(), 60);
    let ids: std::collections::BTreeSet<HouseholdId> = whole.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 60);
    for (area, count) in [(JINPEN, 20), (FULING, 40), (431_025, 20), (4310, 60), (4311, 0)] {
        let filter = ListFilter { area: Some(area), ..ListFilter::default() };
        assert_eq!(ledger.list(&filter, None, 100).unwrap().len(), count, "{area}");
    }
}

#[test]
fn households_are_found_by_characters_pinyin_initials_tag_and_state() {
    let ledger =
        Ledger::open_in_memory(Arc::new(TestClock::at(START_MS)), Box::new(Seeded(3))).unwrap();
    let chen = ledger.create_household(FULING, head("陈永昌")).unwrap();
    let member = vec![("name".to_owned(), Value::from("文秀芬"))];
    ledger.edit(chen, &RecordEdit::default().row("members", member)).unwrap();
    let hu = ledger.create_household(FULING, head("胡甫武")).unwrap();
    let tick = RecordEdit::default().set("class", "tag_serious_illness", true);
    let today = Value::from(ledger.today().to_string());
    let step = vec![("state".to_owned(), Value::from("clue")), ("on".to_owned(), today)];
    ledger.edit(hu, &tick.row("steps", step)).unwrap();
    let search = |text: &str| {
        let filter = ListFilter { search: Some(text.into()), ..ListFilter::default() };
        names(&ledger.list(&filter, None, 10).unwrap()).join(" ")
    };
    for text in ["永昌", "昌", "chenyongchang", "yongch", "cyc", "CYC", "秀芬", "wxf", " cyc "]
    {
        assert_eq!(search(text), "陈永昌", "{text}");
    }
    for text in ["胡甫", "hufuwu", "hfw"] {
        assert_eq!(search(text), "胡甫武", "{text}");
    }
    for text in ["昌永", "%", "_", "zzz", "'"] {
        assert_eq!(search(text), "", "{text}");
    }
    let tagged = ListFilter { tag: Some("tag_serious_illness".into()), ..ListFilter::default() };
    assert_eq!(names(&ledger.list(&tagged, None, 10).unwrap()), ["胡甫武"]);
    let state = ListFilter { case_state: Some("clue".into()), ..ListFilter::default() };
    assert_eq!(names(&ledger.list(&state, None, 10).unwrap()), ["胡甫武"]);
}

#[test]
fn a_list_is_not_asked_for_a_code_that_nobody_knows() {
    let ledger =
        Ledger::open_in_memory(Arc::new(TestClock::at(START_MS)), Box::new(Seeded(3))).unwrap();
    ledger.create_household(FULING, head("陈永昌")).unwrap();
    let every = ListFilter {
        area: Some(FULING),
        tag: Some("tag_marginal".into()),
        kind: Some("general".into()),
        monitored: Some("sudden".into()),
        risk_level: Some("high".into()),
        case_state: Some("clue".into()),
        ..ListFilter::default()
    };
    assert_eq!(ledger.list(&every, None, 10).unwrap(), [], "known ones may be asked for together");
    let typo = Some("monitord".to_owned());
    let one = |field: &str| {
        let mut filter = ListFilter::default();
        let asked = match field {
            "tag" => &mut filter.tag,
            "kind" => &mut filter.kind,
            "monitored" => &mut filter.monitored,
            "risk_level" => &mut filter.risk_level,
            _ => &mut filter.case_state,
        };
        asked.clone_from(&typo);
        filter
    };
    for field in ["tag", "kind", "monitored", "risk_level", "case_state"] {
        let refused = ledger.list(&one(field), None, 10).unwrap_err();
        assert_eq!(refused, LedgerError::invalid(field, "not_in_list"));
    }
    let grid = Some("网".repeat(21));
    let refused = ledger.list(&ListFilter { grid, ..ListFilter::default() }, None, 10).unwrap_err();
    assert_eq!(refused, LedgerError::invalid("grid", "too_long"), "no record can name it");
    for area in [0, 43_102, u64::MAX] {
        let filter = ListFilter { area: Some(area), ..ListFilter::default() };
        let refused = ledger.list(&filter, None, 10).unwrap_err();
        assert_eq!(refused, LedgerError::invalid("area", "not_an_area"), "{area}");
    }
}

#[test]
fn wrong_input_changes_nothing() {
    let ledger =
        Ledger::open_in_memory(Arc::new(TestClock::at(START_MS)), Box::new(Seeded(3))).unwrap();
    let id = ledger.create_household(FULING, head("陈永昌")).unwrap();
    let before = (ledger.show(id).unwrap(), ledger.status().unwrap());
    let refused = |edit: RecordEdit, reason: &str| {
        let LedgerError::InvalidInput { reason: code, .. } = ledger.edit(id, &edit).unwrap_err()
        else {
            panic!("{reason} expected");
        };
        assert_eq!(code, reason);
    };
    let edit = RecordEdit::default;
    refused(edit().set("basic", "no_such", "x"), "unknown_field");
    refused(edit().set("nowhere", "head_name", "x"), "unknown_container");
    refused(edit().set("basic", "head_name", true), "wrong_type");
    refused(edit().set("class", "risk_level", "enormous"), "not_in_list");
    refused(edit().set("members", "name", "x"), "row_missing");
    refused(edit().set("warnings", "w1.answer", "confirmed"), "row_unknown");
    refused(edit().set("clues", "c1.outcome", "included"), "row_unknown");
    refused(edit().row("basic", Vec::<(String, Value)>::new()), "holds_no_rows");
    refused(edit().set("basic", "head_name", "陈永昌"), "nothing_to_change");
    refused(edit(), "nothing_to_change");
    let mixed = edit().set("basic", "grid", "一").set("class", "risk_level", "enormous");
    refused(mixed, "not_in_list");
    let not_a_village = ledger.create_household(431_022, head("某")).unwrap_err();
    assert_eq!(not_a_village, LedgerError::invalid("village", "not_a_village"));
    let nobody = ledger.edit(HouseholdId([9; 16]), &head("某")).unwrap_err();
    assert_eq!(nobody.code(), "not_found");
    assert_eq!((ledger.show(id).unwrap(), ledger.status().unwrap()), before);
}

/// Saves a change whose fields this release's schema does not know, as a newer release would.
fn save_as_newer(ledger: &Ledger, id: HouseholdId, edits: &[FieldEdit]) {
    ledger
        .with_store(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let mut household = records::find(&transaction, id)?.ok_or(StoreError::NotFound)?;
            let origin = Origin {
                actor: ledger_actor(&transaction)?,
                time_ms: START_MS,
                message: String::new(),
            };
            let raw = draft(&household.fold, edits, &origin)?;
            let change = Change::decode(&raw)?;
            let outbox = replica::next_number(&transaction, replica::Setting::Outbox)?;
            let arrival = Arrival::Pending(outbox);
            records::append(&transaction, &mut household, &raw, &change, arrival)?;
            records::save(&transaction, &household)?;
            Ok(transaction.commit()?)
        })
        .unwrap();
}

fn ledger_actor(
    connection: &rusqlite::Connection,
) -> Result<wanhu_core::domain::ids::ActorId, StoreError> {
    let bytes = replica::setting(connection, replica::Setting::Actor)?;
    let actor = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(StoreError::NotFound)?;
    Ok(wanhu_core::domain::ids::ActorId(actor))
}

#[test]
fn fields_of_a_newer_release_survive_an_older_phone() {
    let mut rng = Seeded(1);
    let mut township = Township::new(&mut rng);
    let newer = township.enrol(&mut rng, "li", &[FULING], 0);
    let older = township.enrol(&mut rng, "wang", &[FULING], 0);
    let id = newer.ledger.create_household(FULING, head("陈永昌")).unwrap();
    let unknown = [
        ("basic", "solar_panels", Value::Int(4)),
        ("members", "r9.dialect", "湘南土话".into()),
        ("local", "x", Value::Opaque { type_code: 5, bytes: 2.5f64.to_le_bytes().to_vec() }),
        ("local", "y", Value::Opaque { type_code: 13, bytes: vec![1, 2, 3] }),
    ];
    let edits = unknown.clone().map(|(container, key, value)| FieldEdit {
        container: ContainerIndex::of(container).unwrap(),
        key: key.to_owned(),
        value: Some(value),
    });
    save_as_newer(&newer.ledger, id, &edits);
    newer.sync(&mut township).unwrap();
    older.sync(&mut township).unwrap();
    older.ledger.edit(id, &RecordEdit::default().set("basic", "grid", "一网格")).unwrap();
    older.sync(&mut township).unwrap();
    newer.sync(&mut township).unwrap();
    let (here, there) = (newer.ledger.show(id).unwrap(), older.ledger.show(id).unwrap());
    assert_eq!(here, there);
    for (container, key, value) in unknown {
        let shown = there.fields.iter().find(|f| f.container == container && f.key == key);
        assert_eq!(shown.unwrap().value, value, "{container}.{key}");
    }
}

#[test]
fn a_phone_that_forgets_the_time_knows_the_day_of_its_last_contact() {
    let mut rng = Seeded(12);
    let mut township = Township::new(&mut rng);
    let clock = Arc::new(SetClock::default());
    clock.set(START_MS);
    let phone = township.enrol_with(&mut rng, clock.clone(), FULING);
    clock.set(0);
    assert_eq!(phone.ledger.today(), Day::in_china(0), "nobody has told it anything yet");
    clock.set(START_MS);
    phone.sync(&mut township).unwrap();
    let (heard, two_days_ms) = (phone.ledger.today(), 2 * 86_400_000);
    clock.set(START_MS + two_days_ms);
    assert_eq!(phone.ledger.today(), heard.plus_days(2));
    clock.set(0);
    assert_eq!(phone.ledger.today(), heard, "its battery ran flat");
    assert_eq!(heard, Day::in_china(START_MS));
}

#[test]
fn a_phone_too_long_without_contact_closes_until_it_syncs() {
    let mut rng = Seeded(1);
    let mut township = Township::new(&mut rng);
    let clock = Arc::new(SetClock::default());
    let phone = township.enrol_with(&mut rng, clock.clone(), FULING);
    township.sender(phone.device).lease_days = Some(30);
    let day_ms = 86_400_000;
    let id = phone.ledger.create_household(FULING, head("陈永昌")).unwrap();
    phone.sync(&mut township).unwrap();
    clock.set(29 * day_ms);
    phone.ledger.record_visit(id, vec![("note".into(), "走访".into())]).unwrap();
    clock.set(31 * day_ms);
    let closed = LedgerError::SessionExpired { reason: "lease_over".into() };
    assert_eq!(phone.ledger.show(id).unwrap_err(), closed);
    assert_eq!(phone.ledger.list(&ListFilter::default(), None, 9).unwrap_err(), closed);
    assert_eq!(phone.ledger.edit(id, &head("某")).unwrap_err(), closed);
    // Setting the clock back does not help.
    clock.set(0);
    assert_eq!(phone.ledger.show(id).unwrap_err(), closed);
    assert_eq!(phone.ledger.status().unwrap().pending, 1, "it still says that something waits");
    let (report, _) = phone.sync(&mut township).unwrap();
    assert_eq!(report.receipts, 1);
    assert_eq!(phone.ledger.show(id).unwrap().row.head_name, "陈永昌");
}
