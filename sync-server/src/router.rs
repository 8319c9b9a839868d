//! All routes in one list, and the description of them that is made from the same list.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ServerError;
use crate::handlers::{enrol, health, household, page, sync};

#[derive(OpenApi)]
#[openapi(info(
    title = "Wanhu 万户",
    description = "防贫监测同步服务 · sync service for household records. Phones speak CBOR (docs/protocol.md), browsers JSON."
))]
struct Description;

/// The server's routes.
pub fn router(app: Arc<App>) -> Router {
    let (routes, description) = described().split_for_parts();
    let description = Json(description);
    routes
        .route("/v1/openapi.json", get(move || std::future::ready(description)))
        .fallback(|| std::future::ready(ServerError::NotFound))
        .method_not_allowed_fallback(|| std::future::ready(ServerError::MethodNotAllowed))
        .with_state(app)
}

/// The routes of [`router`] as OpenAPI describes them.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Arc<App>> {
    let mut description = Description::openapi();
    let session = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("session", SecurityScheme::Http(session));
    let of_household = OpenApiRouter::new()
        .routes(routes!(household::send_code))
        .routes(routes!(household::open_session, household::close_session))
        .routes(routes!(household::show_record))
        .routes(routes!(household::declare))
        .routes(routes!(household::object))
        .routes(routes!(household::confirm))
        .layer(map_response(keep_nowhere));
    OpenApiRouter::with_openapi(description)
        .routes(routes!(sync::sync))
        .routes(routes!(enrol::enrol))
        .routes(routes!(household::find_villages))
        .routes(routes!(page::page))
        .routes(routes!(page::script))
        .routes(routes!(page::style))
        .routes(routes!(page::words))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .merge(of_household)
}

/// No browser and no gateway keeps what a household was shown.
async fn keep_nowhere(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    std::future::ready(response).await
}
