//! docs/data-model.md from the schema. Must not say anything the schema does not hold.

use std::fmt::Write;

use super::{Field, FieldKind, Schema};

impl Schema {
    /// How many fields are ticks or choices, and how many there are.
    pub fn ticks_and_choices(&self) -> (usize, usize) {
        let ticked =
            |field: &Field| matches!(field.kind, FieldKind::Tick | FieldKind::Choice { .. });
        (self.fields().filter(|(_, field)| ticked(field)).count(), self.fields().count())
    }

    /// The data model as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from(HEAD);
        let (ticked, all) = self.ticks_and_choices();
        let _ = writeln!(
            out,
            "Schema version {}. {all} fields in {} containers; {ticked} of them ({} %) are ticks or \
             choices.\n",
            self.version,
            self.containers.len(),
            ticked * 100 / all.max(1)
        );
        for container in &self.containers {
            let keys = if container.rows { "`row.field`" } else { "`field`" };
            let _ = writeln!(
                out,
                "## {} · {} · {}\n\nKeys: {keys}.\n",
                container.name, container.zh, container.en
            );
            if container.fields.is_empty() {
                out.push_str("Empty in the base schema; a county adds its own by data.\n\n");
                continue;
            }
            out.push_str("| field | 中文 | English | holds | sensitivity | since |\n");
            out.push_str("|---|---|---|---|---|---|\n");
            for field in &container.fields {
                let _ = writeln!(
                    out,
                    "| `{}` | {} | {} | {} | {} | {} |",
                    field.name,
                    field.zh,
                    field.en,
                    holds(&field.kind),
                    format!("{:?}", field.sensitivity).to_lowercase(),
                    field.since
                );
            }
            out.push('\n');
        }
        out.push_str("# Code lists\n\n");
        for list in &self.code_lists {
            let codes = list.codes.iter().map(|c| format!("`{}` {} {}", c.code, c.zh, c.en));
            let _ = writeln!(out, "**{}**: {}\n", list.name, codes.collect::<Vec<_>>().join("; "));
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
}

fn holds(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Tick => "tick".into(),
        FieldKind::Choice { list } => format!("choice of `{list}`"),
        FieldKind::Number { unit, min, max } => {
            let bound =
                |bound: &Option<i64>| bound.map_or(String::new(), |bound| bound.to_string());
            format!("number in {unit} [{}, {}]", bound(min), bound(max))
        }
        FieldKind::Text { max } => format!("text of at most {max} characters"),
        FieldKind::Date => "ISO day".into(),
        FieldKind::Photo => "photo (content hash)".into(),
        FieldKind::Id => "id".into(),
    }
}

const HEAD: &str = "# Data model

Made from `core/schema/*.toml` by `cargo run -p wanhu-core --example data_model > docs/data-model.md`; a test compares the two.

One document per household (农户). A container is a map from `field` or `row.field` to a scalar. Money is integer fen, area
integer 0.01 mu (centimu), days are ISO text, codes are stable ASCII text. Fields and codes are only ever added; a field this
release does not know is kept byte for byte. Groups and codes follow a published county survey schema of 2023-09, the older
national register items and a public code dictionary; ethnic groups GB/T 3304-1991, danger grades JGJ 125-2016.

";
