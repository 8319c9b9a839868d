//! The sample population: households that look like those of Chenzhou, in its real villages, the same
//! for the same seed. No real person: names are drawn from character lists, identity numbers only
//! check. The three families of the acceptance stories are in it as the press printed them.

use std::collections::HashSet;

use wanhu_core::client::RecordEdit;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::identity::check_character;
use wanhu_core::domain::region::{Level, RegionList};
use wanhu_core::domain::value::Value;
use wanhu_core::store::listing::TAGS;

use crate::seeded::Seeded;

mod stories;

pub use stories::{FULING, JINPEN, stories};

const SURNAMES: [&str; 40] = [
    "李", "陈", "黄", "刘", "张", "王", "曹", "邓", "何", "胡", "谢", "罗", "周", "欧阳", "曾",
    "雷", "肖", "唐", "邝", "吴", "廖", "朱", "段", "首", "侯", "彭", "许", "骆", "郭", "杨", "范",
    "谭", "龙", "徐", "袁", "蒋", "尹", "宋", "文", "单",
];
const GIVEN: [&str; 64] = [
    "永", "昌", "国", "建", "甫", "武", "秀", "芬", "桂", "英", "志", "强", "小", "红", "春", "兰",
    "文", "军", "玉", "梅", "德", "华", "冬", "生", "美", "玲", "社", "平", "丽", "娟", "云", "飞",
    "金", "凤", "林", "海", "燕", "明", "辉", "香", "贵", "福", "长", "根", "爱", "民", "丹", "婷",
    "浩", "宇", "子", "涵", "雨", "欣", "俊", "杰", "佳", "怡", "思", "远", "嘉", "豪", "梓", "萱",
];
const HAMLETS: [&str; 16] = [
    "上洞",
    "下洞",
    "大塘",
    "石桥",
    "樟木冲",
    "杨梅山",
    "老屋场",
    "新屋里",
    "对门垅",
    "茶山背",
    "井边",
    "水口",
    "枫树下",
    "牛角湾",
    "黄泥坳",
    "白石岭",
];

/// A village and the form save that opens a household's record in it.
pub type Sample = (u64, RecordEdit);

/// `size` households spread evenly over the villages of Chenzhou, one village after the other, after the three of the
/// stories.
pub fn population(seed: u64, size: usize) -> impl Iterator<Item = Sample> {
    let villages: Vec<u64> =
        RegionList::chenzhou().within(4310, Level::Village).map(|region| region.code).collect();
    let all = size.saturating_sub(3);
    let drawn = (0..all).map(move |number| {
        let mut rng = Seeded(seed ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        let village = villages[number * villages.len() / all];
        (village, household(&mut rng, village))
    });
    stories().into_iter().take(size).chain(drawn)
}

/// `size` households of one village.
pub fn village(seed: u64, village: u64, size: usize) -> impl Iterator<Item = Sample> {
    let drawn = (0u64..).map(move |number| {
        let mut rng = Seeded(seed ^ number.wrapping_mul(0x9e6c_63d0_876a_68ed));
        (village, household(&mut rng, village))
    });
    distinct(drawn).take(size)
}

/// Those whose head no household before has: drawn numbers meet now and then, and a phone opens no record twice.
pub fn distinct(drawn: impl Iterator<Item = Sample>) -> impl Iterator<Item = Sample> {
    let mut heads = HashSet::new();
    drawn.filter(move |(_, edit)| {
        let number = edit.head_number().map(|number| number.as_str().to_owned());
        number.is_none_or(|number| heads.insert(number))
    })
}

/// A household of two to six.
pub fn household(rng: &mut Seeded, village: u64) -> RecordEdit {
    let members = 2 + rng.below(5);
    let mut edit = household_of(rng, village, members);
    if rng.chance(12) {
        edit = edit.row("measures", measure(rng));
    }
    if rng.chance(8) {
        let tag = *rng.pick(&TAGS);
        edit = edit.set("class", tag, true);
    }
    edit
}

/// A household of exactly so many members: 25 values of its own (the village's code included) and 12 a
/// member. With four members it is the household of workload W, 73 values.
pub fn household_of(rng: &mut Seeded, village: u64, members: usize) -> RecordEdit {
    let surname = *rng.pick(&SURNAMES);
    let head = person_name(rng, surname);
    let hamlet = *rng.pick(&HAMLETS);
    let village_name = RegionList::chenzhou().get(village).map_or("", |region| &region.name);
    let house = rng.below(200) + 1;
    let fen = |rng: &mut Seeded, most: usize| i64::try_from(rng.below(most) * 100).unwrap_or(0);
    let mut edit = RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
        .set("basic", "head_name", head.clone())
        .set("basic", "address", format!("{village_name}{hamlet}组{house}号"))
        .set("basic", "natural_village", hamlet)
        .set("basic", "grid", format!("第{}网格", rng.below(6) + 1))
        .set("basic", "phone", format!("1{}{:09}", 3 + rng.below(6), rng.below(1_000_000_000)))
        .set("class", "household_kind", if rng.chance(30) { "lifted" } else { "general" })
        .set("class", "risk_level", *rng.pick(&["low", "low", "low", "medium", "high"]))
        .set("class", "risk_1", *rng.pick(&["illness", "schooling", "unstable_work", "other"]))
        .set("class", "tag_subsistence", rng.chance(5))
        .set("income", "wage_fen", fen(rng, 60_000))
        .set("income", "business_fen", fen(rng, 30_000))
        .set("income", "business_cost_fen", fen(rng, 9_000))
        .set("income", "property_fen", fen(rng, 2_000))
        .set("income", "transfer_fen", fen(rng, 12_000))
        .set("income", "self_pay_fen", fen(rng, 15_000))
        .set("living", "arable_centimu", i64::try_from(rng.below(900)).unwrap_or(0))
        .set("living", "forest_centimu", i64::try_from(rng.below(3_000)).unwrap_or(0))
        .set("living", "road_kind", *rng.pick(&["cement", "cement", "gravel", "earth"]))
        .set("living", "house_danger", *rng.pick(&["a", "a", "a", "b", "c"]))
        .set("living", "water_safe", rng.chance(95))
        .set("guarantees", "food_state", "met")
        .set("guarantees", "schooling_state", *rng.pick(&["met", "not_applicable"]))
        .set("guarantees", "medical_state", if rng.chance(97) { "met" } else { "not_met" })
        .set("guarantees", "housing_state", if rng.chance(96) { "met" } else { "not_met" });
    for place in 0..members {
        edit = edit.row("members", member(rng, village, surname, place, &head));
    }
    edit
}

fn person_name(rng: &mut Seeded, surname: &str) -> String {
    let first = *rng.pick(&GIVEN);
    let second = if rng.chance(80) { *rng.pick(&GIVEN) } else { "" };
    format!("{surname}{first}{second}")
}

fn member(
    rng: &mut Seeded,
    village: u64,
    surname: &str,
    place: usize,
    head: &str,
) -> Vec<(String, Value)> {
    // Head, spouse, then children and parents in turn.
    let (relation, age, male) = match place {
        0 => ("head", 35 + rng.below(35), rng.chance(85)),
        1 => ("spouse", 33 + rng.below(35), false),
        2 | 4 => {
            (if rng.chance(50) { "son" } else { "daughter" }, 3 + rng.below(25), rng.chance(50))
        }
        _ => ("mother", 60 + rng.below(28), false),
    };
    let male = match relation {
        "son" => true,
        "daughter" | "mother" => false,
        _ => male,
    };
    let name = match relation {
        "head" => head.to_owned(),
        "spouse" | "mother" => {
            let own = *rng.pick(&SURNAMES);
            person_name(rng, own)
        }
        _ => person_name(rng, surname),
    };
    let born = Day::new(2024, 3, 1).map_or(Day(0), |today| {
        today.plus_days(-i32::try_from(age * 365 + rng.below(365)).unwrap_or(0))
    });
    let able = (18..65).contains(&age);
    let at_school = (6..19).contains(&age);
    let health = if age > 60 && rng.chance(50) { "chronic" } else { "healthy" };
    let months = if able && rng.chance(60) { 3 + rng.below(10) } else { 0 };
    let fields: [(&str, Value); 12] = [
        ("name", name.into()),
        ("sex", (if male { "male" } else { "female" }).into()),
        ("identity_number", identity_number(rng, village / 1_000_000, born, male).into()),
        ("relation", relation.into()),
        ("ethnicity", (if rng.chance(90) { "han" } else { "yao" }).into()),
        ("education", (*rng.pick(&["primary", "junior", "junior", "senior", "illiterate"])).into()),
        ("school_stage", (if at_school { "junior" } else { "not_student" }).into()),
        ("health", health.into()),
        ("labour", (if able { "ordinary" } else { "none" }).into()),
        ("work_months", Value::Int(i64::try_from(months).unwrap_or(0))),
        ("insured_resident", rng.chance(97).into()),
        ("pension_resident", (age >= 16 && rng.chance(90)).into()),
    ];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

/// A number that checks, for nobody.
fn identity_number(rng: &mut Seeded, county: u64, born: Day, male: bool) -> String {
    let order = rng.below(499) * 2 + usize::from(male);
    let (year, month, day) = born.civil();
    let first = format!("{county:06}{year:04}{month:02}{day:02}{order:03}");
    let check = check_character(&first).unwrap_or('X');
    format!("{first}{check}")
}

fn measure(rng: &mut Seeded) -> Vec<(String, Value)> {
    let (kind, title) = *rng.pick(&[
        ("industry", "发展茶叶种植"),
        ("jobs", "推荐外出务工"),
        ("public_post", "村级保洁员岗位"),
        ("finance", "小额信贷"),
        ("health", "家庭医生签约"),
        ("other_education", "雨露计划助学"),
    ]);
    vec![
        ("kind".to_owned(), kind.into()),
        ("title".to_owned(), title.into()),
        ("status".to_owned(), "under_way".into()),
        ("from".to_owned(), "2024-01-01".into()),
        ("amount_fen".to_owned(), Value::Int(50_000)),
        ("period".to_owned(), "month".into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use wanhu_core::domain::schema::Schema;

    fn values(edit: &RecordEdit) -> usize {
        edit.fields.len() + edit.new_rows.iter().map(|row| row.fields.len()).sum::<usize>()
    }

    #[test]
    fn the_same_seed_gives_the_same_people() {
        let first: Vec<_> = population(7, 1_000).collect();
        assert_eq!(first, population(7, 1_000).collect::<Vec<_>>());
        assert_ne!(first, population(8, 1_000).collect::<Vec<_>>());
        assert_eq!(first.len(), 1_000);
    }

    #[test]
    fn every_value_fits_the_schema() {
        let schema = Schema::base();
        for (_, edit) in population(1, 2_000) {
            let single = edit.fields.iter().map(|f| (&f.container, &f.key, f.value.clone()));
            let rows = edit.new_rows.iter().flat_map(|row| {
                row.fields
                    .iter()
                    .map(move |named| (&row.container, &named.field, Some(named.value.clone())))
            });
            for (container, field, value) in single.chain(rows) {
                let value = value.unwrap();
                assert_eq!(schema.check(container, field, &value), Ok(()), "{container}.{field}");
            }
        }
    }

    #[test]
    fn the_household_of_workload_w_has_73_values() {
        // The village's code is added when the record is opened.
        assert_eq!(values(&household_of(&mut Seeded(1), FULING, 4)) + 1, 73);
    }

    #[test]
    fn a_population_covers_every_village() {
        let mut villages: Vec<u64> = population(1, 5_000).map(|(village, _)| village).collect();
        villages.sort_unstable();
        villages.dedup();
        assert_eq!(villages.len(), 2_420);
    }
}
