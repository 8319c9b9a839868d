//! The families of a city as acceptance story A4 has them, one person for every 500: who was poor at the end of 2014,
//! who was lifted out by the end of 2019, and what they earned. Must not know a server or how figures are counted.
//!
//! Published are two incidences, two incomes, how many were lifted and how many were not. That the rural people
//! became fewer follows from them: whoever was lifted or was not is 10.7 % of more people than 4.11 million. That those
//! missing were whole families that moved away, and that incomes are those of families once poor, is made up.

use wanhu_core::client::RecordEdit;
use wanhu_core::domain::environment::random;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{Level, RegionList};
use wanhu_core::domain::value::Value;

use crate::seeded::Seeded;

/// One person here stands for so many.
pub const SCALE: i64 = 500;
/// 11,516 people not yet lifted, at this scale.
pub const NOT_LIFTED: i64 = 11_516 / SCALE;
/// 441,000 people lifted out, at this scale.
pub const LIFTED: i64 = 441_000 / SCALE;
/// 4.113 million rural people at the end of 2019, at this scale: 11,516 are 0.28 % of them.
pub const RURAL: i64 = 4_113_000 / SCALE;
/// With those who moved away later, the people of whom the poor of 2014 were 10.7 %.
pub const MOVED_AWAY: i64 = 232;
/// Net income a person in 2015: 2,346.67 yuan.
pub const FEN_EACH_2015: i64 = 234_667;
/// Net income a person in 2019: 9,332.43 yuan.
pub const FEN_EACH_2019: i64 = 933_243;

/// What became of a family from 2014 to 2019.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Poor, and still so.
    NotLifted,
    /// Poor, and lifted out.
    Lifted,
    /// Never poor, and still there.
    General,
    /// Never poor, and moved away.
    MovedAway,
}

/// A family.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its record.
    pub id: HouseholdId,
    /// Where it lives.
    pub village: u64,
    /// How many they are.
    pub people: i64,
    /// What became of it.
    pub fate: Fate,
    /// What it earns above the mean of the poor; all of these come to nothing.
    above_mean_fen: i64,
}

/// All families, in 41 villages of all counties of Chenzhou.
pub fn city(seed: u64) -> Vec<Family> {
    let villages = RegionList::chenzhou().within(4310, Level::Village).step_by(60);
    let villages: Vec<u64> = villages.map(|region| region.code).collect();
    let mut rng = Seeded(seed);
    let mut families: Vec<Family> = Vec::new();
    for (fate, people) in [
        (Fate::NotLifted, NOT_LIFTED),
        (Fate::Lifted, LIFTED),
        (Fate::General, RURAL - NOT_LIFTED - LIFTED),
        (Fate::MovedAway, MOVED_AWAY),
    ] {
        for people in sizes(&mut rng, people) {
            let village = villages[families.len() % villages.len()];
            let id = HouseholdId::from_random(random(&mut rng));
            families.push(Family { id, village, people, fate, above_mean_fen: 0 });
        }
    }
    let poor = families.iter().filter(|family| family.was_poor()).count();
    for pair in families[..poor].chunks_exact_mut(2) {
        let fen = i64::try_from(rng.below(80_000)).unwrap_or(0);
        pair[0].above_mean_fen = fen;
        pair[1].above_mean_fen = -fen;
    }
    families
}

/// Families of two to seven that come to exactly so many people.
fn sizes(rng: &mut Seeded, people: i64) -> Vec<i64> {
    let (mut sizes, mut left) = (Vec::new(), people);
    while left > 0 {
        let drawn = left.min(*rng.pick(&[2, 3, 4, 5, 6]));
        // Nobody is left over to be a family alone.
        let size = if left - drawn == 1 { left } else { drawn };
        sizes.push(size);
        left -= size;
    }
    sizes
}

impl Family {
    /// Whether it was poor in 2014.
    pub fn was_poor(&self) -> bool {
        matches!(self.fate, Fate::NotLifted | Fate::Lifted)
    }

    /// Its record as it was opened by the end of 2014.
    pub fn in_2014(&self) -> RecordEdit {
        let kind = if self.was_poor() { "not_lifted" } else { "general" };
        let opened = RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
            .set("basic", "head_name", "某1")
            .set("class", "household_kind", kind);
        (0..self.people).fold(opened, |edit, place| {
            let relation = match place {
                0 => "head",
                1 => "spouse",
                _ => "son",
            };
            let name = format!("某{}", place + 1);
            let fields: Vec<(String, Value)> =
                vec![("name".into(), name.into()), ("relation".into(), relation.into())];
            edit.row("members", fields)
        })
    }

    /// What is written at the end of 2015; nothing about those who were never poor.
    pub fn in_2015(&self) -> Option<RecordEdit> {
        self.was_poor().then(|| self.income(FEN_EACH_2015, "2015-12-31"))
    }

    /// What is written at the end of 2019.
    pub fn in_2019(&self) -> Option<RecordEdit> {
        let income = || self.income(FEN_EACH_2019, "2019-12-31");
        match self.fate {
            Fate::NotLifted => Some(income()),
            Fate::Lifted => Some(income().set("class", "household_kind", "lifted")),
            Fate::General => None,
            Fate::MovedAway => Some(RecordEdit::default().set("basic", "status", "moved_away")),
        }
    }

    /// Of several kinds, and with a cost: net income is more than a wage.
    fn income(&self, fen_each: i64, until: &str) -> RecordEdit {
        let (business, cost, transfers): (i64, i64, i64) = (60_000, 15_000, 20_000);
        let net = self.people * fen_each + self.above_mean_fen;
        RecordEdit::default()
            .set("income", "window_end", until)
            .set("income", "wage_fen", net - business + cost - transfers)
            .set("income", "business_fen", business)
            .set("income", "business_cost_fen", cost)
            .set("income", "transfer_fen", transfers)
    }
}
