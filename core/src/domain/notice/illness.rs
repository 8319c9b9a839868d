//! Illness and disability in free text: known by the words of the record's own lists, by everyday names, and by the radical
//! that characters for illnesses are written with. Must not know where the text stands.

use std::sync::LazyLock;

use super::STRUCK;
use crate::domain::schema::{CodeList, FieldKind, Schema, Sensitivity, word_list};
use crate::domain::spelling::half_width;

/// Lists of sensitive fields that are about school; their words are everybody's.
const OF_SCHOOLS: [&str; 2] = ["school_stage", "not_in_school_reason"];
/// Lists that are about health though their fields are not sensitive.
const OF_HEALTH: [&str; 1] = ["labour"];
/// Codes of such lists that say nothing against anybody.
const HARMLESS: [&str; 4] = ["other", "healthy", "ordinary", "skilled"];
/// English words that may stand inside others stand alone here: `Ca`, `HIV`.
const SHORT_MAX: usize = 3;

/// As [`folded`]: the lists about health, and names in everyday use.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema = Schema::base();
    let sensitive =
        schema.fields().filter(|(_, field)| field.sensitivity == Sensitivity::Sensitive);
    let names = sensitive.filter_map(|(_, field)| {
        let FieldKind::Choice { list } = &field.kind else { return None };
        Some(list.as_str()).filter(|list| !OF_SCHOOLS.contains(list))
    });
    let lists = names.chain(OF_HEALTH).filter_map(|list| schema.code_list(list));
    let mut words: Vec<String> =
        lists.chain(word_list("illness")).flat_map(words_of).map(folded).collect();
    words.sort_unstable();
    words.dedup();
    words
});

/// Each word of a label: 尘肺及肺病 is two.
fn words_of(list: &CodeList) -> impl Iterator<Item = &str> {
    let codes = list.codes.iter().filter(|code| !HARMLESS.contains(&code.code.as_str()));
    let labels = codes.flat_map(|code| code.zh.split(['及', '或']).chain([code.en.as_str()]));
    // What is left of English where nothing is lost: `none` of labour is no word about anybody.
    labels.filter(|word| !matches!(*word, "none" | "lost"))
}

/// Offices whose names contain such a word, as [`folded`].
static OFFICES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let codes = word_list("office_of_health").into_iter().flat_map(|list| &list.codes);
    codes.flat_map(|code| [folded(&code.zh), folded(&code.en)]).collect()
});

/// Full-width letters as plain ones, small, letters and digits alone.
fn folded(text: &str) -> String {
    let kept = text.chars().map(half_width).filter(|character| character.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// Characters with the radical of illness (疒): 病, 症, 癌, 瘫. Not those of care: 医疗, 防疫.
fn is_of_illness(character: char) -> bool {
    matches!(character, '\u{7592}'..='\u{7675}') && !matches!(character, '疗' | '疫')
}

fn mentions(text: &str, word: &str) -> bool {
    if word.len() > SHORT_MAX || !word.is_ascii() {
        return text.contains(word);
    }
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        !is_letter(before.chars().next_back()) && !is_letter(behind.chars().next())
    })
}

/// As [`folded`], without the names of offices.
fn without_offices(text: &str) -> String {
    OFFICES.iter().fold(folded(text), |folded, office| folded.replace(office.as_str(), ""))
}

/// The text with [`STRUCK`] for each clause that names an illness: what stands beside its name says where and how far. All
/// of it where a name is written across clauses.
pub(super) fn struck(text: &str) -> String {
    let ends = |c: char| "，。；：！？、,;:!?()（）[]【】《》“”\"\n".contains(c);
    let clauses: Vec<(&str, String)> =
        text.split_inclusive(ends).map(|clause| (clause, without_offices(clause))).collect();
    let whole = without_offices(text);
    let across = |word: &String| {
        mentions(&whole, word) && !clauses.iter().any(|(_, clause)| mentions(clause, word))
    };
    if WORDS.iter().any(across) {
        return STRUCK.to_owned();
    }
    let shown = |(clause, folded): &(&str, String)| {
        let is_named =
            folded.contains(is_of_illness) || WORDS.iter().any(|word| mentions(folded, word));
        let end = clause.chars().next_back().filter(|last| ends(*last));
        match is_named {
            true => format!("{STRUCK}{}", end.map(String::from).unwrap_or_default()),
            false => (*clause).to_owned(),
        }
    };
    clauses.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_the_records_own() {
        for word in ["恶性肿瘤", "肺病", "视力", "grade4", "丧失劳动力", "半劳动力", "帕金森"]
        {
            assert!(WORDS.iter().any(|known| known == word), "{word}");
        }
        for word in ["健康", "普通劳动力", "小学", "务工", "none", "其他", "other"] {
            assert!(WORDS.iter().all(|known| known != word), "{word} is everybody's");
        }
        assert!(OFFICES.len() > 4, "the list of words is read");
        let single = WORDS.iter().filter(|word| word.chars().count() < 2);
        assert_eq!(single.map(String::as_str).collect::<String>(), "傻哑孕残癌盲瞎聋跛");
    }
}
