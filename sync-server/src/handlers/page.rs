//! /my: the page on which a household does all that, for the browser of any phone: a page, a script, a style sheet, and
//! the words for codes. Must not know a record.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use wanhu_core::domain::schema::{CodeList, Schema, word_list};

use crate::app::App;
use crate::error::ServerError;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Code lists of the record that the page shows.
const SHOWN: [&str; 9] = [
    "risk",
    "case_state",
    "channel",
    "clue_outcome",
    "measure_kind",
    "measure_status",
    "period",
    "asset",
    "department",
];
/// Lists of words that it shows.
const SHOWN_WORDS: [&str; 2] = ["visitor", "lack"];

static WORDS: LazyLock<String> = LazyLock::new(|| {
    // As lists, in the order of the schema: what is most frequent stands first.
    let codes = |list: &CodeList| -> serde_json::Value {
        let codes = list.codes.iter();
        codes.map(|code| serde_json::json!([code.code, code.zh, code.en])).collect()
    };
    let of_record = SHOWN.iter().filter_map(|name| Schema::base().code_list(name));
    let of_words = SHOWN_WORDS.iter().filter_map(|name| word_list(name));
    let lists = of_record.chain(of_words).map(|list| (list.name.clone(), codes(list)));
    lists.collect::<serde_json::Value>().to_string()
});

/// The page.
#[utoipa::path(get, path = "/my", tag = "page", responses((status = 200, content_type = "text/html")))]
pub async fn page(state: State<Arc<App>>) -> Result<Response, ServerError> {
    serve(state, "text/html; charset=utf-8", include_str!("../../page/my.html")).await
}

/// Its script.
#[utoipa::path(get, path = "/my/my.js", tag = "page", responses((status = 200, content_type = "text/javascript")))]
pub async fn script(state: State<Arc<App>>) -> Result<Response, ServerError> {
    serve(state, "text/javascript; charset=utf-8", include_str!("../../page/my.js")).await
}

/// Its style sheet.
#[utoipa::path(get, path = "/my/my.css", tag = "page", responses((status = 200, content_type = "text/css")))]
pub async fn style(state: State<Arc<App>>) -> Result<Response, ServerError> {
    serve(state, "text/css; charset=utf-8", include_str!("../../page/my.css")).await
}

/// Words for codes, Chinese and English.
#[utoipa::path(get, path = "/my/words.json", tag = "page", responses((status = 200, content_type = "application/json")))]
pub async fn words(state: State<Arc<App>>) -> Result<Response, ServerError> {
    serve(state, "application/json", WORDS.as_str()).await
}

async fn serve(
    State(app): State<Arc<App>>,
    media: &'static str,
    text: &'static str,
) -> Result<Response, ServerError> {
    if app.visitors.is_none() {
        return Err(ServerError::NotFound);
    }
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    std::future::ready(Ok((headers, text).into_response())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_household_is_answered_there_are_words_for() {
        let lists: serde_json::Value = serde_json::from_str(&WORDS).unwrap();
        let has = |list: &str, code: &str| {
            let codes = lists[list].as_array().unwrap();
            codes.iter().any(|line| line[0] == code && !line[1].as_str().unwrap().is_empty())
        };
        let retry_after_ms = 1;
        let errors = [
            ServerError::BadRequest,
            ServerError::TooLarge,
            ServerError::CodeUnknown,
            ServerError::CodeExpired,
            ServerError::TooManyRequests { retry_after_ms },
            ServerError::TooManyTries { retry_after_ms },
            ServerError::TooManyDeclarations { retry_after_ms },
            ServerError::SignInNeeded,
            ServerError::NotOnRecord,
            ServerError::invalid("risks", "not_in_list"),
            ServerError::NotNow { lack: "not_from_here" },
            ServerError::Busy,
            ServerError::Timeout,
            ServerError::NotFound,
            ServerError::Internal { place: "test" },
        ];
        for error in errors {
            assert!(has("visitor", error.parts().1), "{error}");
        }
        for outcome in ["recorded", "known", "taken", "offline"] {
            assert!(has("visitor", outcome), "{outcome}");
        }
        assert!(has("risk", "illness") && has("lack", "not_from_here"));
        let first = &lists["risk"][0][0];
        assert_eq!(first, "illness", "in the order of the schema");
    }
}
