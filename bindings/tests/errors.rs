//! The table of errors in bindings/README.md has every error of the exported surface, with its fields, and no other.

const README: &str = include_str!("../README.md");
const API: &str = include_str!("../api.txt");

/// A variant's name as its code: `NotFound` as `not_found`.
fn code_of(variant: &str) -> String {
    variant.chars().fold(String::new(), |mut code, character| {
        if character.is_ascii_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.extend(character.to_lowercase());
        code
    })
}

/// Code, variant and fields of every error an app may see.
fn exported() -> Vec<(String, String, Vec<String>)> {
    let lines =
        API.lines().skip_while(|line| !line.contains("sealed class LedgerException")).skip(1);
    let mut errors: Vec<(String, String, Vec<String>)> = Vec::new();
    for line in lines.take_while(|line| line.starts_with("    ")).map(str::trim) {
        if let Some(variant) = line.strip_prefix("class ") {
            errors.push((code_of(variant), variant.to_owned(), Vec::new()));
        } else if let Some((name, _)) =
            line.strip_prefix("val ").and_then(|val| val.split_once(':'))
        {
            errors.iter_mut().rev().take(1).for_each(|error| error.2.push(code_of(name)));
        }
    }
    errors
}

#[test]
fn the_table_of_errors_is_that_of_the_library() {
    let rows = README.lines().skip_while(|line| !line.starts_with("| code |")).skip(2);
    let listed: Vec<_> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            assert!(!cells[4].is_empty() && !cells[5].is_empty(), "{line}");
            let fields = cells[3].split(", ").map(str::to_owned).collect();
            (cells[1].to_owned(), cells[2].to_owned(), fields)
        })
        .collect();
    let mut exported: Vec<(String, String, Vec<String>)> = exported();
    let mut listed: Vec<(String, String, Vec<String>)> = listed;
    exported.sort();
    listed.sort();
    assert!(exported.len() > 9, "{exported:?}");
    assert_eq!(listed, exported);
}
