//! Trains the dictionary of `core/data/records-1.dict` on the sample population: opening records, visits,
//! small edits, as an enrolled phone makes them. A dictionary belongs to a protocol version: a new one gets a new number and file.
#![allow(clippy::print_stdout)]

use std::error::Error;

use wanhu_core::client::{Ledger, RecordEdit};
use wanhu_core::document::compress;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{Level, RegionList};
use wanhu_core::domain::value::Value;
use wanhu_core::store::replica;
use wanhu_tests::population;
use wanhu_tests::seeded::Seeded;
use wanhu_tests::township::Township;

/// Not a seed that tests or benchmarks use.
const SEED: u64 = 0xd1c7_1043;
const BYTES: usize = 48 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: train_dictionary FILE")?;
    let mut rng = Seeded(SEED);
    let mut township = Township::new(&mut rng);
    let townships: Vec<u64> =
        RegionList::chenzhou().within(4310, Level::Township).map(|region| region.code).collect();
    let phone = township.enrol_as(&mut rng, "li", Role::TownshipOffice, &townships, 0);
    let ledger = phone.ledger;
    for (village, edit) in population::population(SEED, 1_500) {
        let id = ledger.create_household(village, edit)?;
        later(&ledger, &mut rng, id)?;
    }
    let pending = ledger.with_store(|connection| replica::pending(connection, 0, 10_000))?;
    let samples: Vec<Vec<u8>> = pending
        .iter()
        .map(|pending| compress::training_sample(pending.change.raw.body()))
        .collect();
    let dictionary = zstd::dict::from_samples(&samples, BYTES)?;
    std::fs::write(&path, &dictionary)?;
    println!("{} samples, {} bytes", samples.len(), dictionary.len());
    Ok(())
}

fn later(ledger: &Ledger, rng: &mut Seeded, id: HouseholdId) -> Result<(), Box<dyn Error>> {
    let visit = [
        ("date", "2024-03-01".into()),
        ("purpose", "routine".into()),
        ("met", "head".into()),
        ("finding", (*rng.pick(&["stable", "watch", "difficult"])).into()),
        ("note", "家中情况稳定,外出务工正常".into()),
    ];
    let visit = visit.map(|(field, value): (&str, Value)| (field.to_owned(), value));
    ledger.record_visit(id, visit.to_vec())?;
    let wage = i64::try_from(rng.below(60_000))? * 100;
    let edit = RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
        .set("income", "wage_fen", wage)
        .set("class", "risk_level", *rng.pick(&["high", "medium"]))
        .set("living", "water_safe", rng.chance(50));
    // A household that shows all three values already has nothing to change.
    let _ = ledger.edit(id, &edit);
    Ok(())
}
