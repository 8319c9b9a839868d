//! Which village a register means, by its code or by the names of county, township and village. Must not know who asks,
//! beyond where they may write.

use std::collections::{BTreeSet, HashMap};

use wanhu_core::domain::region::{self, Level, RegionList};

use super::said::Said;
use crate::import::header::squeezed;

/// What people leave out of a name, or write behind it. The longest first.
const ENDINGS: [&str; 15] = [
    "社区居民委员会",
    "村民委员会",
    "居民委员会",
    "街道办事处",
    "村委会",
    "居委会",
    "瑶族乡",
    "社区",
    "街道",
    "村",
    "乡",
    "镇",
    "县",
    "市",
    "区",
];

/// A village as a register writes it; what it leaves out is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::import) struct Written {
    pub(in crate::import) code: String,
    pub(in crate::import) county: String,
    pub(in crate::import) township: String,
    pub(in crate::import) village: String,
}

/// The villages of a region list, found by name.
pub(in crate::import) struct Villages<'l> {
    list: &'l RegionList,
    by_name: HashMap<String, BTreeSet<u64>>,
}

impl<'l> Villages<'l> {
    pub(in crate::import) fn of(list: &'l RegionList) -> Self {
        let provinces = (10..=99).flat_map(|province| list.within(province, Level::Village));
        let mut by_name: HashMap<String, BTreeSet<u64>> = HashMap::new();
        for village in provinces {
            by_name.entry(stem(&village.name)).or_default().insert(village.code);
        }
        Self { list, by_name }
    }

    /// The one village that is meant. Where no county is written, one that the office `reaches` comes first.
    pub(in crate::import) fn find(
        &self,
        written: &Written,
        reaches: impl Fn(u64) -> bool,
    ) -> Result<u64, Said> {
        if !written.code.is_empty() {
            let code = written.code.parse().ok().filter(|code| region::is_village(*code));
            let known = code.filter(|code| self.list.get(*code).is_some());
            return known.ok_or(Said::VillageUnknown);
        }
        let named = self.by_name.get(&stem(&written.village)).ok_or(Said::VillageUnknown)?;
        let mut found: Vec<u64> =
            named.iter().copied().filter(|village| self.lies_in(*village, written)).collect();
        let name = squeezed(&written.village);
        narrow(&mut found, |village| self.name(village) == name);
        if written.county.is_empty() {
            narrow(&mut found, reaches);
        }
        match found.as_slice() {
            [] => Err(Said::VillageUnknown),
            [only] => Ok(*only),
            _ => Err(Said::VillageUnclear),
        }
    }

    fn lies_in(&self, village: u64, written: &Written) -> bool {
        let township = region::parent(village);
        let county = township.and_then(region::parent);
        [(township, &written.township), (county, &written.county)].into_iter().all(
            |(area, name)| {
                // A county is written with its city before it, too.
                name.is_empty()
                    || area.is_some_and(|area| stem(name).ends_with(&stem(self.name(area))))
            },
        )
    }

    fn name(&self, code: u64) -> &str {
        self.list.get(code).map_or("", |region| region.name.as_str())
    }
}

/// Keeps those that fit, where any does.
fn narrow(found: &mut Vec<u64>, fits: impl Fn(u64) -> bool) {
    if found.iter().any(|village| fits(*village)) {
        found.retain(|village| fits(*village));
    }
}

fn stem(name: &str) -> String {
    let name = squeezed(name);
    let short = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    short.filter(|short| !short.is_empty()).map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(code: &str, county: &str, township: &str, village: &str) -> Result<u64, Said> {
        let [code, county, township, village] =
            [code, county, township, village].map(str::to_owned);
        let written = Written { code, county, township, village };
        let reaches = |village| region::code_contains(431_022, village);
        Villages::of(RegionList::chenzhou()).find(&written, reaches)
    }

    #[test]
    fn a_village_is_found_as_people_write_it_and_never_guessed() {
        let fuling = Ok(431_022_208_217);
        assert_eq!(find("431022208217", "", "", ""), fuling);
        assert_eq!(find("", "宜章县", "关溪乡", "福岭村"), fuling);
        assert_eq!(find("", "郴州市宜章县", "关溪", "福岭村委会"), fuling);
        assert_eq!(find("", "", "", " 福岭 "), fuling);
        assert_eq!(find("", "临武县", "舜峰镇", "金盆村"), Ok(431_025_100_216));
        assert_eq!(find("", "临武县", "", "福岭村"), Err(Said::VillageUnknown));
        assert_eq!(find("431022208", "", "", "福岭村"), Err(Said::VillageUnknown));
        assert_eq!(find("", "宜章县", "关溪乡", "没有村"), Err(Said::VillageUnknown));
        assert_eq!(find("", "", "", ""), Err(Said::VillageUnknown));
    }

    #[test]
    fn of_villages_with_one_name_none_is_chosen() {
        let list = RegionList::parse(
            "431022\t宜章县\n431022100\t东镇\n431022101\t西镇\n431022100200\t石村\n\
             431022101200\t石村\n431022101201\t石社区\n431025\t临武县\n431025100\t东镇\n\
             431025100200\t石村\n",
        );
        let list = list.unwrap();
        let find = |county: &str, township: &str, village: &str| {
            let [county, township, village] = [county, township, village].map(str::to_owned);
            let written = Written { code: String::new(), county, township, village };
            let reaches = |village| region::code_contains(431_022, village);
            Villages::of(&list).find(&written, reaches)
        };
        assert_eq!(find("宜章县", "", "石村"), Err(Said::VillageUnclear));
        assert_eq!(find("", "", "石村"), Err(Said::VillageUnclear));
        assert_eq!(find("宜章县", "西镇", "石村"), Ok(431_022_101_200), "not the quarter 石社区");
        assert_eq!(find("宜章县", "西镇", "石社区"), Ok(431_022_101_201));
        assert_eq!(find("宜章县", "西镇", "石"), Err(Said::VillageUnclear));
        assert_eq!(find("", "东镇", "石村"), Ok(431_022_100_200), "of two counties one's own");
        assert_eq!(find("临武县", "东镇", "石村"), Ok(431_025_100_200));
    }
}
