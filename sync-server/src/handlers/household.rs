//! /v1/household: what a household does with a phone's browser. JSON in and out, a session in the header `Authorization`.
//! Must not decide whose record it is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::person::Blind;
use wanhu_core::domain::region;
use wanhu_core::domain::telephone;
use wanhu_core::system::SystemEntropy;

use super::body::BodyReader;
use super::{blocking, permit};
use crate::app::App;
use crate::error::{JsonError, ServerError};
use crate::household::outbox::CodeMessage;
use crate::household::{self, Caller, Declared, OwnRecord, Said, Visitors};

/// Largest request: a declaration in 300 characters.
const BYTES_MAX: usize = 4 * 1024;
/// Villages found at a time.
const VILLAGES_MAX: usize = 20;

/// An error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorAnswer {
    /// Stable code.
    pub code: String,
    /// Values that belong to it.
    pub details: Vec<String>,
}

/// Asks for a code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// A mobile number of the mainland.
    #[schema(pattern = r"^1[3-9]\d{9}$")]
    pub telephone: String,
}

/// Signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The telephone that was sent the code.
    #[schema(pattern = r"^1[3-9]\d{9}$")]
    pub telephone: String,
    /// Six digits.
    #[schema(pattern = r"^\d{6}$")]
    pub code: String,
    /// The person's name.
    #[schema(min_length = 1, max_length = 40)]
    pub name: String,
    /// The person's identity number, which must check.
    #[schema(pattern = r"^\d{17}[\dXx]$")]
    pub identity_number: String,
}

impl std::fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionRequest")
    }
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionAnswer {
    /// Goes into every later request as `Authorization: Bearer …`.
    pub token: String,
    /// When it is over, milliseconds since 1970 UTC.
    pub until_ms: i64,
    /// Whether the caller's own record is here. Otherwise they may declare, and name their village.
    pub on_record: bool,
}

/// Declares.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclarationRequest {
    /// Codes of list `risk`, at least one.
    pub risks: Vec<String>,
    /// In own words, at most 300 characters.
    #[serde(default)]
    pub note: String,
    /// Whether the household agrees that its circumstances are looked into.
    #[serde(default)]
    pub consents: bool,
    /// Village code; needed where the caller's own record is not here.
    pub village: Option<u64>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeAnswer {
    /// `recorded`; `known` where it was on record before; `taken` where the caller's own record is not here.
    pub outcome: &'static str,
}

/// Objects.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectionRequest {
    /// Why, at most 300 characters.
    pub reason: String,
}

/// Confirms.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationRequest {
    /// Row of the measure.
    pub measure: String,
}

/// Looks for villages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VillageQuery {
    /// Characters, pinyin or initials.
    pub search: String,
}

/// A village.
#[derive(Debug, Serialize, ToSchema)]
pub struct VillageAnswer {
    /// Its code.
    pub code: u64,
    /// County, township and village by name.
    pub path: Vec<String>,
}

/// Sends a code to a telephone. The answer is the same whoever has that telephone.
#[utoipa::path(post, path = "/v1/household/codes", request_body = CodeRequest, tag = "household",
    responses((status = 202, description = "on its way"), (status = "4XX", body = ErrorAnswer)))]
pub async fn send_code(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<StatusCode, JsonError> {
    let request: CodeRequest = read(&app, body).await?;
    let visitors = visitors(&app)?;
    let (telephone, blind) = mobile(&app, &request.telephone)?;
    let now_ms = app.clock.now_ms();
    may_visit(&app, from.ip(), now_ms)?;
    app.visits.count(from.ip(), now_ms);
    // Before a code is spent: it must not be lost because others are served.
    let permit = permit(&app)?;
    let code = visitors.issue(blind, now_ms, &mut SystemEntropy)?;
    permitted(permit, app, move |app| {
        let sent = app.code_sender.send(&CodeMessage { telephone, code }, now_ms);
        sent.map_err(|_| ServerError::internal("household.outbox"))
    })
    .await?;
    Ok(StatusCode::ACCEPTED)
}

/// Opens a session with a code.
#[utoipa::path(post, path = "/v1/household/sessions", request_body = SessionRequest, tag = "household",
    responses((status = 201, body = SessionAnswer), (status = "4XX", body = ErrorAnswer)))]
pub async fn open_session(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<(StatusCode, Json<SessionAnswer>), JsonError> {
    let request: SessionRequest = read(&app, body).await?;
    let visitors = visitors(&app)?;
    let (telephone, blind) = mobile(&app, &request.telephone)?;
    let number = IdentityNumber::parse(&request.identity_number)
        .map_err(|_| ServerError::invalid("identity_number", "malformed"))?;
    let name = request.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 40 {
        return Err(ServerError::invalid("name", "length").into());
    }
    let now_ms = app.clock.now_ms();
    may_visit(&app, from.ip(), now_ms)?;
    let caller = Caller { telephone, name, number };
    let permit = permit(&app)?;
    let opened = visitors.open(blind, &request.code, caller.clone(), now_ms, &mut SystemEntropy);
    let (token, until_ms) = opened.inspect_err(|_| app.visits.count(from.ip(), now_ms))?;
    let look = move |app: &App| household::has_own_record(app, &caller);
    let on_record = permitted(permit, app, look).await?;
    Ok((StatusCode::CREATED, Json(SessionAnswer { token, until_ms, on_record })))
}

/// Ends a session.
#[utoipa::path(delete, path = "/v1/household/sessions", tag = "household", security(("session" = [])),
    responses((status = 204, description = "ended"), (status = "4XX", body = ErrorAnswer)))]
pub async fn close_session(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<StatusCode, JsonError> {
    caller(&app, &headers)?;
    visitors(&app)?.close(token(&headers)?);
    std::future::ready(Ok(StatusCode::NO_CONTENT)).await
}

/// The caller's own record.
#[utoipa::path(get, path = "/v1/household/record", tag = "household", security(("session" = [])),
    responses((status = 200, body = OwnRecord), (status = "4XX", body = ErrorAnswer)))]
pub async fn show_record(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<OwnRecord>, JsonError> {
    let caller = caller(&app, &headers)?;
    Ok(Json(work(app, move |app| household::own_record(app, &caller)).await?))
}

/// Declares a risk.
#[utoipa::path(post, path = "/v1/household/declarations", request_body = DeclarationRequest, tag = "household",
    security(("session" = [])),
    responses((status = 201, body = OutcomeAnswer), (status = "4XX", body = ErrorAnswer)))]
pub async fn declare(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<OutcomeAnswer>), JsonError> {
    let caller = caller(&app, &headers)?;
    let DeclarationRequest { risks, note, consents, village } = read(&app, body).await?;
    let said = Said { risks, note, consents, village };
    let declared = work(app, move |app| household::declare(app, &caller, &said)).await?;
    let outcome = match declared {
        Declared::Recorded => "recorded",
        Declared::Known => "known",
        Declared::Taken => "taken",
    };
    Ok((StatusCode::CREATED, Json(OutcomeAnswer { outcome })))
}

/// Objects to the notice about the caller's household.
#[utoipa::path(post, path = "/v1/household/objections", request_body = ObjectionRequest, tag = "household",
    security(("session" = [])),
    responses((status = 201, body = OutcomeAnswer), (status = 200, body = OutcomeAnswer),
        (status = "4XX", body = ErrorAnswer)))]
pub async fn object(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<OutcomeAnswer>), JsonError> {
    let caller = caller(&app, &headers)?;
    let ObjectionRequest { reason } = read(&app, body).await?;
    Ok(written(work(app, move |app| household::object(app, &caller, &reason)).await?))
}

/// Confirms that a measure has arrived.
#[utoipa::path(post, path = "/v1/household/confirmations", request_body = ConfirmationRequest, tag = "household",
    security(("session" = [])),
    responses((status = 201, body = OutcomeAnswer), (status = 200, body = OutcomeAnswer),
        (status = "4XX", body = ErrorAnswer)))]
pub async fn confirm(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<OutcomeAnswer>), JsonError> {
    let caller = caller(&app, &headers)?;
    let ConfirmationRequest { measure } = read(&app, body).await?;
    Ok(written(work(app, move |app| household::confirm(app, &caller, &measure)).await?))
}

/// Villages by name.
#[utoipa::path(get, path = "/v1/villages", params(VillageQuery), tag = "household",
    responses((status = 200, body = Vec<VillageAnswer>), (status = "4XX", body = ErrorAnswer)))]
pub async fn find_villages(
    State(app): State<Arc<App>>,
    query: Result<Query<VillageQuery>, QueryRejection>,
) -> Result<Json<Vec<VillageAnswer>>, JsonError> {
    visitors(&app)?;
    let Query(query) = query.map_err(|_| ServerError::BadRequest)?;
    let search: String = query.search.chars().take(40).collect();
    let found = app.regions.search(&search, usize::MAX).into_iter();
    let villages = found.filter(|found| region::is_village(found.code)).take(VILLAGES_MAX);
    let found = villages.map(|village| {
        let path = app.regions.path(village.code).into_iter().map(str::to_owned).collect();
        VillageAnswer { code: village.code, path }
    });
    std::future::ready(Ok(Json(found.collect()))).await
}

/// Works on records, as one of the requests served at the same time.
async fn work<T: Send + 'static>(
    app: Arc<App>,
    work: impl FnOnce(&App) -> Result<T, ServerError> + Send + 'static,
) -> Result<T, ServerError> {
    permitted(permit(&app)?, app, work).await
}

/// The permit goes with the work: it is held until that ends, also where nobody waits for the answer any more.
async fn permitted<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    app: Arc<App>,
    work: impl FnOnce(&App) -> Result<T, ServerError> + Send + 'static,
) -> Result<T, ServerError> {
    blocking(move || {
        let done = work(&app);
        drop(permit);
        done
    })
    .await
}

fn written(new: bool) -> (StatusCode, Json<OutcomeAnswer>) {
    match new {
        true => (StatusCode::CREATED, Json(OutcomeAnswer { outcome: "recorded" })),
        false => (StatusCode::OK, Json(OutcomeAnswer { outcome: "known" })),
    }
}

fn visitors(app: &App) -> Result<&Visitors, ServerError> {
    app.visitors.as_ref().ok_or(ServerError::NotFound)
}

fn may_visit(app: &App, from: IpAddr, now_ms: i64) -> Result<(), ServerError> {
    match app.visits.wait_ms(from, now_ms) {
        0 => Ok(()),
        retry_after_ms => Err(ServerError::TooManyTries { retry_after_ms }),
    }
}

fn mobile(app: &App, text: &str) -> Result<(String, Blind), ServerError> {
    let digits = telephone::mobile(text);
    let known =
        digits.and_then(|digits| app.person_key.phone(&digits).map(|blind| (digits, blind)));
    known.ok_or_else(|| ServerError::invalid("telephone", "malformed"))
}

fn token(headers: &HeaderMap) -> Result<&str, ServerError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ServerError::SignInNeeded)
}

fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, ServerError> {
    visitors(app)?.caller(token(headers)?, app.clock.now_ms())
}

async fn read<T: DeserializeOwned>(app: &App, body: Body) -> Result<T, ServerError> {
    let bytes = BodyReader::new(body, app.silence_max).all(BYTES_MAX).await?;
    serde_json::from_slice(&bytes).map_err(|_| ServerError::BadRequest)
}
