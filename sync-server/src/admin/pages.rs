//! A part of a long list, and how to go on behind it: by what its last row is, never by a count, so that what is done between
//! two pages hides nothing. Must not know what is listed.

use std::error::Error;
use std::str::FromStr;

use clap::Args;

use super::{Output, ROWS_MAX, listed};

/// Which part of a list.
#[derive(Clone, Debug, Args)]
pub struct PageArguments<P>
where
    P: FromStr + Clone + Send + Sync + 'static,
    P::Err: Error + Send + Sync + 'static,
{
    /// 接在此项之后,见上一页末行 · continue behind this one, as the page before names it
    #[arg(long, value_parser = P::from_str)]
    pub after: Option<P>,
    /// 行数 · rows
    #[arg(long, default_value_t = ROWS_MAX)]
    pub rows: u32,
}

impl<P> Default for PageArguments<P>
where
    P: FromStr + Clone + Send + Sync + 'static,
    P::Err: Error + Send + Sync + 'static,
{
    fn default() -> Self {
        Self { after: None, rows: ROWS_MAX }
    }
}

impl<P> PageArguments<P>
where
    P: FromStr + Clone + Send + Sync + 'static,
    P::Err: Error + Send + Sync + 'static,
{
    /// Rows to read: one more than is shown says whether more follow.
    pub(super) fn rows_read(&self) -> usize {
        self.rows as usize + 1
    }

    /// Leaves of what was read what is shown. Returns the place of the last row where more follow behind it.
    pub(super) fn cut<R>(&self, read: &mut Vec<R>, place: impl Fn(&R) -> String) -> Option<String> {
        let more = read.len() > self.rows as usize;
        read.truncate(self.rows as usize);
        read.last().filter(|_| more).map(place)
    }
}

/// A page of a list. Where more follow behind it, `after` says how to go on: in a last line for people, for scripts as `after`
/// beside the `rows`.
pub(super) fn page(
    rows: impl Iterator<Item = (String, serde_json::Value)>,
    after: Option<String>,
) -> Output {
    let (mut text, values) = listed(rows);
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_./".contains(sign);
    if let Some(after) = &after {
        // A phone may have named a row as no shell expects it.
        let typed = match after.chars().all(is_plain) {
            true => after.clone(),
            false => format!("'{}'", after.replace('\'', r"'\''")),
        };
        text.push_str(&format!(
            "还有更多,同一命令加 · more follow, by the same command with: --after {typed}\n"
        ));
    }
    Output { text, json: format!("{}\n", serde_json::json!({ "rows": values, "after": after })) }
}
