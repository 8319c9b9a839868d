//! Stub until pinyin is merged.

/// Stub.
pub fn search_key<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join("|")
}
/// Stub.
pub fn normalise_query(text: &str) -> String {
    text.to_owned()
}
