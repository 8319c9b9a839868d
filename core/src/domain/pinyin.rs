//! How a Chinese name is found by what people type: characters, pinyin, or initials. Must not know where
//! the search happens.

use pinyin::ToPinyin;

use super::spelling::{half_width, is_name_dot};

/// Surnames whose reading as a surname is not the character's usual one.
/// Source: Xiandai Hanyu Cidian, entries marked 姓.
const SURNAMES: [(char, &str); 14] = [
    ('曾', "zeng"),
    ('单', "shan"),
    ('解', "xie"),
    ('仇', "qiu"),
    ('查', "zha"),
    ('区', "ou"),
    ('任', "ren"),
    ('翟', "zhai"),
    ('朴', "piao"),
    ('覃', "qin"),
    ('冼', "xian"),
    ('盖', "ge"),
    ('缪', "miao"),
    ('尉', "yu"),
];

/// Syllables of a name without tones; characters without a reading stand for themselves, lowercased.
fn syllables(name: &str) -> impl Iterator<Item = String> {
    let surname = name.chars().next();
    let special = SURNAMES.iter().find(|(character, _)| Some(*character) == surname);
    name.chars().enumerate().map(move |(place, character)| match (special, character.to_pinyin()) {
        // 尉 reads yu only in the double surname 尉迟.
        (Some(('尉', _)), Some(reading)) if place == 0 && !name.starts_with("尉迟") => {
            reading.plain().to_owned()
        }
        (Some((_, reading)), _) if place == 0 => (*reading).to_owned(),
        (_, Some(reading)) => reading.plain().replace('ü', "v"),
        (_, None) => character.to_lowercase().collect(),
    })
}

/// `陈永昌` -> `chenyongchang`.
pub fn full(name: &str) -> String {
    syllables(name).collect()
}

/// `陈永昌` -> `cyc`.
pub fn initials(name: &str) -> String {
    syllables(name).filter_map(|syllable| syllable.chars().next()).collect()
}

/// What a list stores for substring search: `name full initials` of every distinct name, joined by `|`.
pub fn search_key<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut key = String::new();
    for name in names.filter(|name| !name.is_empty()) {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        if !key.is_empty() {
            key.push('|');
        }
        key.push_str(&name.to_lowercase());
        key.push(' ');
        key.push_str(&full(name));
        key.push(' ');
        key.push_str(&initials(name));
    }
    key
}

/// Whether a search key has a name whole. Case, spaces, full-width letters and the shape of a foreign name's dot do not count.
pub fn has_name(key: &str, name: &str) -> bool {
    let name = bare(name);
    key.split('|').any(|entry| {
        // A name has as many spaces as its reading and its initials have each.
        let words: Vec<&str> = entry.split(' ').collect();
        bare(&words[..words.len() / 3].concat()) == name
    })
}

fn bare(name: &str) -> String {
    let plain = |c: char| if is_name_dot(c) { '·' } else { half_width(c) };
    let kept = name.chars().filter(|character| !character.is_whitespace()).map(plain);
    kept.flat_map(char::to_lowercase).collect()
}

/// What was typed, in the form the search key has: lowercase, without spaces.
pub fn normalise_query(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings() {
        for (name, full_reading, short) in [
            ("陈永昌", "chenyongchang", "cyc"),
            ("曾国强", "zengguoqiang", "zgq"),
            ("单小明", "shanxiaoming", "sxm"),
            ("尉迟恭", "yuchigong", "ycg"),
            ("李Anna", "lianna", "lanna"),
            ("吕绿", "lvlv", "ll"),
        ] {
            assert_eq!((full(name).as_str(), initials(name).as_str()), (full_reading, short));
        }
    }

    #[test]
    fn a_key_holds_every_name_once() {
        let key = search_key(["陈永昌", "文秀芬", "", "陈永昌"].into_iter());
        assert_eq!(key, "陈永昌 chenyongchang cyc|文秀芬 wenxiufen wxf");
        assert!(key.contains(&normalise_query(" Wen XiuFen ")));
    }

    #[test]
    fn a_name_is_had_whole_or_not_at_all() {
        let key = search_key(["李春生", "张 三", "John Smith", "阿依古丽•买买提"].into_iter());
        for name in ["李春生", "李 春生", "张三", "JohnSmith", "ＪＯＨＮ smith", "阿依古丽·买买提"]
        {
            assert!(has_name(&key, name), "{name}");
        }
        for name in
            ["李", "李春", "春生", "lichunsheng", "lcs", "l", "chun", "张", "John", "zhang san"]
        {
            assert!(!has_name(&key, name), "{name}");
        }
        assert!(!has_name("", "李"));
    }
}
