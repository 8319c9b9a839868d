//! Administrative divisions (GB/T 2260 and its township and village extension): codes whose leading
//! digits name what contains them. Must not know who may see which.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::pinyin;

/// Levels by number of digits: province 2, city 4, county 6, township 9, village 12.
const LEVELS: [(Level, u32); 5] = [
    (Level::Province, 2),
    (Level::City, 4),
    (Level::County, 6),
    (Level::Township, 9),
    (Level::Village, 12),
];

/// The levels of division.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 省
    Province,
    /// 市
    City,
    /// 县
    County,
    /// 乡镇
    Township,
    /// 村
    Village,
}

/// The level of a code, or `None` where it has another number of digits.
pub fn level(code: u64) -> Option<Level> {
    let digits = code.checked_ilog10()? + 1;
    LEVELS.iter().find(|(_, length)| *length == digits).map(|(level, _)| *level)
}

/// Whether a code is a village's: twelve digits.
pub fn is_village(code: u64) -> bool {
    level(code) == Some(Level::Village)
}

/// Whether `code` lies in `area`, which may be of any level; an area contains itself.
pub fn code_contains(area: u64, code: u64) -> bool {
    let (Some(area_level), Some(level)) = (level(area), level(code)) else { return false };
    let digits = |wanted| LEVELS.iter().find(|(level, _)| *level == wanted).map_or(0, |l| l.1);
    let surplus = digits(level).checked_sub(digits(area_level));
    surplus.is_some_and(|surplus| code / 10u64.pow(surplus) == area)
}

/// The first and the last village code an area can contain: its digits filled up with zeros and nines.
pub fn villages_of(area: u64) -> (u64, u64) {
    let (mut first, mut last) = (area, area);
    while first > 0 && first < 100_000_000_000 {
        first *= 10;
        last = last * 10 + 9;
    }
    (first, last)
}

/// The division that contains this one; `None` for a province.
pub fn parent(code: u64) -> Option<u64> {
    match level(code)? {
        Level::Province => None,
        Level::City | Level::County => Some(code / 100),
        Level::Township | Level::Village => Some(code / 1000),
    }
}

/// The division of a level that contains this one, itself included; `None` where there is none.
pub fn at_level(code: u64, wanted: Level) -> Option<u64> {
    std::iter::successors(Some(code), |code| parent(*code))
        .find(|code| level(*code) == Some(wanted))
}

/// One division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its code.
    pub code: u64,
    /// Its name.
    pub name: String,
}

/// A line of a region list that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// Not `code<TAB>name`, or the code is of no level.
    #[error("line {line} is not a code and a name")]
    Malformed {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A code that stands twice.
    #[error("line {line} repeats a code")]
    Repeated {
        /// Number of the line, from 1.
        line: usize,
    },
}

/// A list of divisions.
#[derive(Clone, Debug, Default)]
pub struct RegionList {
    regions: BTreeMap<u64, Region>,
}

static CHENZHOU: LazyLock<RegionList> = LazyLock::new(|| {
    // The compiled list is covered by a test.
    RegionList::parse(include_str!("../../data/regions-4310.tsv")).unwrap_or_default()
});

impl RegionList {
    /// Chenzhou (4310) down to its 2,420 villages, state of 2023-06-30. Source: docs/regions.md.
    pub fn chenzhou() -> &'static Self {
        &CHENZHOU
    }

    /// Reads another city's list: lines of `code<TAB>name`; lines that begin with `#` are remarks.
    ///
    /// # Errors
    /// Names the first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        let mut regions = BTreeMap::new();
        for (line, content) in (1..).zip(text.lines()) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let malformed = RegionError::Malformed { line };
            let (code, name) = content.split_once('\t').ok_or(malformed)?;
            let code: u64 = code.parse().map_err(|_| malformed)?;
            if level(code).is_none() || name.trim().is_empty() {
                return Err(malformed);
            }
            let region = Region { code, name: name.trim().to_owned() };
            if regions.insert(code, region).is_some() {
                return Err(RegionError::Repeated { line });
            }
        }
        Ok(Self { regions })
    }

    /// The division of this code.
    pub fn get(&self, code: u64) -> Option<&Region> {
        self.regions.get(&code)
    }

    /// All divisions of a level inside an area, by code.
    pub fn within(&self, area: u64, wanted: Level) -> impl Iterator<Item = &Region> {
        let inside = move |region: &&Region| {
            level(region.code) == Some(wanted) && code_contains(area, region.code)
        };
        self.regions.values().filter(inside)
    }

    /// The divisions directly inside this one, by code.
    pub fn children(&self, code: u64) -> impl Iterator<Item = &Region> {
        self.regions.values().filter(move |region| parent(region.code) == Some(code))
    }

    /// Names from the province down to this division, as far as the list holds them.
    pub fn path(&self, code: u64) -> Vec<&str> {
        let mut names = Vec::new();
        let mut next = Some(code);
        while let Some(code) = next {
            names.extend(self.get(code).map(|region| region.name.as_str()));
            next = parent(code);
        }
        names.reverse();
        names
    }

    /// What lies in these areas and what they lie in, as text that [`Self::parse`] reads.
    pub fn around(&self, areas: &[u64]) -> String {
        let is_near = |region: &&Region| {
            let near = |area| code_contains(area, region.code) || code_contains(region.code, area);
            areas.iter().copied().any(near)
        };
        let near = self.regions.values().filter(is_near);
        near.map(|region| format!("{}\t{}\n", region.code, region.name)).collect()
    }

    /// Divisions found by the beginning of their code, a part of their name, their pinyin or initials;
    /// whole names first, then by level and code.
    pub fn search(&self, text: &str, count_max: usize) -> Vec<&Region> {
        let query = pinyin::normalise_query(text);
        if query.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(bool, &Region)> = self
            .regions
            .values()
            .filter(|region| {
                region.code.to_string().starts_with(&query)
                    || region.name.contains(&query)
                    || pinyin::full(&region.name).starts_with(&query)
                    || pinyin::initials(&region.name) == query
            })
            .map(|region| (region.name != query, region))
            .collect();
        found.sort_by_key(|(inexact, region)| (*inexact, level(region.code), region.code));
        found.into_iter().take(count_max).map(|(_, region)| region).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chenzhou_is_whole() {
        let list = RegionList::chenzhou();
        let count = |level| list.within(4310, level).count();
        assert_eq!(
            (count(Level::County), count(Level::Township), count(Level::Village)),
            (11, 162, 2_420)
        );
    }

    #[test]
    fn the_villages_of_the_stories_are_there() {
        let list = RegionList::chenzhou();
        assert_eq!(list.path(431_025_100_216), ["湖南省", "郴州市", "临武县", "舜峰镇", "金盆村"]);
        assert_eq!(list.path(431_022_208_217), ["湖南省", "郴州市", "宜章县", "关溪乡", "福岭村"]);
    }

    #[test]
    fn around_an_area_stands_what_contains_it_and_what_it_contains() {
        let text = RegionList::chenzhou().around(&[431_022_208_217, 431_025_100]);
        let around = RegionList::parse(&text).unwrap();
        for (code, known) in [
            (431_022_208_217, true),
            (431_022_208, true),
            (43, true),
            (431_025_100_216, true),
            (431_022_208_216, false),
            (431_025_101, false),
            (431_002, false),
        ] {
            assert_eq!(around.get(code).is_some(), known, "{code}");
            assert!(!known || around.path(code) == RegionList::chenzhou().path(code), "{code}");
        }
        assert_eq!(RegionList::chenzhou().around(&[]), "");
    }

    #[test]
    fn search_by_code_name_pinyin_and_initials() {
        let list = RegionList::chenzhou();
        for query in ["福岭村", "fuling", "flc", "431022208217", " FuLing "] {
            let found = list.search(query, 50);
            assert!(found.iter().any(|region| region.code == 431_022_208_217), "{query}");
        }
        assert_eq!(list.search("临武县", 3)[0].code, 431_025);
        assert!(list.search("", 3).is_empty());
    }

    #[test]
    fn what_contains_a_village_is_found_by_level() {
        let village = 431_025_100_216;
        assert_eq!(at_level(village, Level::Village), Some(village));
        assert_eq!(at_level(village, Level::Township), Some(431_025_100));
        assert_eq!(at_level(village, Level::County), Some(431_025));
        assert_eq!(at_level(village, Level::City), Some(4310));
        assert_eq!(at_level(431_025, Level::Village), None);
        assert_eq!(at_level(7, Level::City), None);
    }

    #[test]
    fn containment_is_by_whole_levels() {
        assert!(code_contains(4310, 431_025_100_216));
        assert!(code_contains(431_025_100, 431_025_100_216));
        assert!(code_contains(431_025_100_216, 431_025_100_216));
        assert!(!code_contains(431_025_100_216, 431_025_100));
        assert!(!code_contains(431_022, 431_025_100_216));
        assert!(!code_contains(43102, 431_025), "five digits are no level");
        assert!(!code_contains(0, 431_025));
    }

    #[test]
    fn malformed_lists_are_refused_with_the_line() {
        for (text, error) in [
            ("431002 北湖区", RegionError::Malformed { line: 1 }),
            ("# x\n\n43100\t五位", RegionError::Malformed { line: 3 }),
            ("431002\t \n", RegionError::Malformed { line: 1 }),
            ("43\t湖南省\n43\t湖南省", RegionError::Repeated { line: 2 }),
        ] {
            assert_eq!(RegionList::parse(text).err(), Some(error), "{text}");
        }
    }
}
